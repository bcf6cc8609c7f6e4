"""The runs with their progress, and what a person can do to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets  # type: ignore[import-untyped]

from wavebook_tools.errors import WavebookError
from wavebook_tools.records.project import Project
from wavebook_tools.widgets import actions, tables
from wavebook_tools.widgets.clicks import button
from wavebook_tools.widgets.logs import LogView
from wavebook_tools.widgets.panel import Panel, account
from wavebook_tools.widgets.reading import Reading


class QueuePanel(Panel):
    """Runs with state, progress, time left, device and key metric; cancel, retry, priority and logs."""

    def __init__(self, project: Project | Path | str | None = None) -> None:
        super().__init__(project)
        self._log: LogView | None = None
        self._table: Any = ipywidgets.HTML()
        self._target: Any = ipywidgets.Combobox(
            placeholder="exp001/s0 or wave 3",
            description="Run",
            continuous_update=False,
            ensure_option=False,
            layout={"width": "230px"},
            style={"description_width": "auto"},
        )
        self._cancel = self._button("Cancel", "End the run, or all runs of the wave; asks once", self._ask)
        self._retry = self._button("Retry", "Run again what failed, hung or was cancelled", self._act_retry)
        self._resume: Any = ipywidgets.Checkbox(
            description="from checkpoint", indent=False, layout={"width": "140px", "margin": "2px 8px"}
        )
        self._sooner = self._button("Sooner", "Raise the priority of what waits", lambda: self._act_move(actions.STEP))
        self._later = self._button("Later", "Lower the priority of what waits", lambda: self._act_move(-actions.STEP))
        self._show = self._button("Log", "Show the end of the run's log below, or take it away", self._act_log)
        self._yes = self._button("Yes, end", "Cancel now", self._act_cancel, style="danger")
        self._no = self._button("No", "Let it run", self._withdraw)
        self._question: Any = ipywidgets.HTML()
        self._asked: Any = ipywidgets.HBox([self._question, self._yes, self._no], layout={"display": "none"})
        self._said: Any = ipywidgets.HTML()
        self._asked_for = ""
        self._row: Any = ipywidgets.HBox(
            [self._target, self._cancel, self._retry, self._resume, self._sooner, self._later, self._show],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )
        self._lay_out()

    def contents(self) -> list[Any]:
        log = [*self._log.contents(), self._log.widget] if self._log is not None else []
        return [self._table, *self._row.children, self._row, *self._asked.children, self._asked, self._said, *log]

    def draw(self, reading: Reading) -> None:
        self._table.value = tables.queue_table(reading)
        self._target.options = reading.targets
        if self._log is not None:
            self._log.draw(reading)

    def body(self, reading: Reading) -> str:
        return tables.queue_table(reading) + (self._log.body(reading) if self._log is not None else "")

    def text(self, reading: Reading) -> str:
        return tables.queue_text(reading)

    def _lay_out(self) -> None:
        log = [self._log.widget] if self._log is not None else []
        self.widget.children = (self._table, self._row, self._asked, self._said, *log)

    def _ask(self) -> None:
        target = self._target.value.strip()
        runs = actions.cancellable(self.project, target)
        self._asked_for = target
        what = runs[0] if len(runs) == 1 else f"{target} with its {len(runs)} unfinished runs"
        self._question.value = tables.message(f"End {what}?")
        self._asked.layout.display = "flex"

    def _withdraw(self) -> None:
        self._asked.layout.display = "none"
        self._asked_for = ""

    def _act_cancel(self) -> str:
        # What was asked about, not what stands in the box by now.
        target = self._asked_for
        self._withdraw()
        return actions.cancel(self.project, target, account())

    def _act_retry(self) -> str:
        return actions.retry(self.project, self._target.value, account(), resume=self._resume.value)

    def _act_move(self, step: int) -> str:
        return actions.move(self.project, self._target.value, account(), step)

    def _act_log(self) -> None:
        wanted, old = self._target.value.strip(), self._log
        if old is not None and wanted in ("", old.run):
            self._log = None
        else:
            self._log = LogView(wanted, self.project)
            self._log.embed()
            self._log.draw(self.feed.now())
        self._lay_out()
        if old is not None:
            old.close()

    def _button(self, label: str, tooltip: str, act: Callable[[], str | None], *, style: str = "") -> Any:
        return button(label, tooltip, lambda: self._answer(act), style=style, layout={"width": "auto"})

    def _answer(self, act: Callable[[], str | None]) -> None:
        """Do something and say below the buttons how it went."""
        try:
            said = act()
        except (WavebookError, sqlite3.Error, OSError) as error:
            self._withdraw()
            self._said.value = tables.message(str(error), error=True)
        else:
            self._said.value = tables.message(said or "")
            self.feed.hurry()
