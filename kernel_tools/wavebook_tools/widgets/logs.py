"""A run's log as it grows."""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets  # type: ignore[import-untyped]

from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunId
from wavebook_tools.widgets.panel import Panel
from wavebook_tools.widgets.reading import Reading

SHOWN_BYTES = 64 * 1024
"""How much of the log's end is read [bytes]; log.txt has all."""

SHOWN_LINES = 200
LINE_LENGTH = 1000

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")


def plain_lines(text: str) -> list[str]:
    """The lines as a terminal would leave them: colours dropped, of a line that was written over only what is left."""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return [_CONTROL.sub("", line)[:LINE_LENGTH] for line in lines]


class LogTail:
    """The end of one log, read again when it has grown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = -1
        self._text = ""

    def text(self) -> str:
        """The last lines."""
        try:
            size = os.stat(self.path).st_size
            if size == self._size:
                return self._text
            with open(self.path, "rb") as stream:
                stream.seek(max(0, size - SHOWN_BYTES))
                data = stream.read(SHOWN_BYTES)
        except OSError:
            return self._text
        self._size = size
        lines = plain_lines(data.decode(errors="replace"))
        if size > SHOWN_BYTES:
            del lines[0]  # its beginning was not read
        self._text = "\n".join(lines[-SHOWN_LINES:])
        return self._text


class LogView(Panel):
    """The end of a run's log; it follows while «Follow» is pressed."""

    def __init__(self, run: str, project: Project | Path | str | None = None) -> None:
        super().__init__(project)
        self.run = RunId(run)
        record = self.project.run(run)
        self._path = self.project.relative(record.log_path)
        self._tail = LogTail(record.log_path)
        self._log: Any = ipywidgets.HTML()
        self._follow: Any = ipywidgets.ToggleButton(
            value=True, description="Follow", tooltip="Show new lines as they come; off, the text stands still"
        )
        self.widget.children = (self._follow, self._log)

    def contents(self) -> list[Any]:
        return [self._follow, self._log]

    def draw(self, reading: Reading) -> None:
        if self._follow.value or not self._log.value:
            self._log.value = self.body(reading)

    def body(self, reading: Reading) -> str:
        text = self._tail.text()
        # Turned around, a box stays at its end when it is filled anew.
        box = (
            "display:flex;flex-direction:column-reverse;max-height:320px;overflow:auto;padding:4px 8px;"
            "border:1px solid var(--jp-border-color2,#8884);"
        )
        shown = escape(text) or "Nothing printed yet."
        return (
            f'<div style="font-size:13px;color:var(--jp-ui-font-color2,#666)">{escape(self.run)}: '
            f"end of <code>{escape(self._path)}</code></div>"
            f'<div style="{box}" tabindex="0" role="log" aria-label="Log of {escape(self.run)}">'
            f'<pre style="margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;line-height:1.35;'
            f'color:var(--jp-ui-font-color1,inherit)">{shown}</pre></div>'
        )

    def text(self, reading: Reading) -> str:
        return "\n".join(self._tail.text().splitlines()[-20:])
