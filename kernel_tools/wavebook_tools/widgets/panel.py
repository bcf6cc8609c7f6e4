"""What all panels share: they are widgets while a kernel lives, and a picture in the notebook's file when none does.

A notebook file holds no widgets, only their names, unless the reader has switched on that widget states are saved. So
a panel is two outputs: a picture, plain HTML that is renewed now and then, and behind it the widget. Two rules of style
in the picture show the one or the other. An untrusted notebook, GitHub and nbconvert show the picture alone.
"""

from __future__ import annotations

import contextlib
import datetime
import getpass
import os
import time
import uuid
from pathlib import Path
from typing import Any

import ipywidgets  # type: ignore[import-untyped]
from IPython.display import display, update_display

from wavebook_tools.records.project import Project
from wavebook_tools.widgets.feed import Feed
from wavebook_tools.widgets.reading import Reading

PICTURE_INTERVAL = 10.0
"""Least time between two pictures of a panel [s]: each marks the notebook as changed."""

_RULES = """<style>
.jp-OutputArea-child:has(.wavebook-picture):has(+ .jp-OutputArea-child .wavebook-panel),
.jp-OutputArea-child:has(.wavebook-picture) + .jp-OutputArea-child:not(:has(.wavebook-panel)) { display: none; }
</style>"""


def find_project(project: Project | Path | str | None) -> Project:
    """The project that is named, or the one that the notebook lies in.

    Raises:
        NotFoundError: The folder is in no project.
    """
    if isinstance(project, Project):
        return project
    return Project.find(Path.cwd() if project is None else Path(project))


class Panel:
    """A part of the control of the queue. The last expression of a cell, or given to ``display``.

    ``widget`` is the ipywidget itself, to put it into a layout of one's own.
    """

    def __init__(self, project: Project | Path | str | None = None) -> None:
        self.project = find_project(project)
        self.feed = Feed.of(self.project)
        self.widget: Any = ipywidgets.VBox()
        self.widget.add_class("wavebook-panel")
        self.widget._view_count = 0  # the front end counts how often it is seen, once it is asked to
        self.widget.observe(self._seen, names="_view_count")
        self._display_id: str | None = None
        self._body = ""
        self._next_picture = 0.0

    def contents(self) -> list[Any]:
        """The widgets that it is made of."""
        return []

    def refresh(self, reading: Reading) -> None:
        """Show a reading."""
        self.draw(reading)
        body = self.body(reading)
        now = time.monotonic()
        if self._display_id is not None and body != self._body and now >= self._next_picture:
            self._body, self._next_picture = body, now + PICTURE_INTERVAL
            update_display(self._picture(reading), raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]

    def draw(self, reading: Reading) -> None:
        """Bring the widgets up to date."""

    def body(self, reading: Reading) -> str:
        """The picture's HTML."""
        return ""

    def text(self, reading: Reading) -> str:
        """What a terminal shows."""
        return ""

    def embed(self) -> Any:
        """Its widget as a part of another panel, which then refreshes it."""
        self.widget.unobserve(self._seen, names="_view_count")
        self.widget._view_count = None
        return self.widget

    def close(self) -> None:
        """Take the panel down; what it shows stays as a picture."""
        self.feed.remove(self)
        for widget in [*self.contents(), self.widget]:
            widget.close()

    def __repr__(self) -> str:
        return self.text(self.feed.now())

    def _ipython_display_(self) -> None:
        reading = self.feed.now()
        self.draw(reading)
        self._body = self.body(reading)
        self._next_picture = time.monotonic() + PICTURE_INTERVAL
        self._display_id = self._display_id or uuid.uuid4().hex
        display(self._picture(reading), raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]
        # Without text of its own: where the widget is not known, the picture has said it all.
        view = {**self.widget._repr_mimebundle_(), "text/html": "", "text/plain": ""}
        display(view, raw=True)  # type: ignore[no-untyped-call]
        # At once: while cells are executed, the kernel does not hear that it is seen.
        self.feed.add(self)

    def _picture(self, reading: Reading) -> dict[str, str]:
        taken = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        stamp = f'<p style="font-size:12px;color:var(--jp-ui-font-color2,#666)">As of {taken}</p>'
        html = f'<div class="wavebook-picture">{self._body}{stamp}</div>{_RULES}'
        return {"text/html": html, "text/plain": f"{self.text(reading)}\nAs of {taken}"}

    def _seen(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.feed.add(self)
        else:
            self.feed.remove(self)


def account() -> str:
    """Who acts, for the ledger: the account that the kernel runs as."""
    with contextlib.suppress(KeyError, OSError):
        return getpass.getuser()
    return f"user-{os.getuid()}"
