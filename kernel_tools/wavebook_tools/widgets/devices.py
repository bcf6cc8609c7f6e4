"""The devices with their load, their memory and who is on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets  # type: ignore[import-untyped]

from wavebook_tools.records.project import Project
from wavebook_tools.widgets import tables
from wavebook_tools.widgets.panel import Panel
from wavebook_tools.widgets.reading import Reading


class GpuPanel(Panel):
    """The devices of this machine: load, memory, the runs that hold them, and processes that are no runs."""

    def __init__(self, project: Project | Path | str | None = None) -> None:
        super().__init__(project)
        self._table: Any = ipywidgets.HTML()
        self.widget.children = (self._table,)

    def contents(self) -> list[Any]:
        return [self._table]

    def draw(self, reading: Reading) -> None:
        self._table.value = self.body(reading)

    def body(self, reading: Reading) -> str:
        return tables.device_table(reading, str(self.project.root))

    def text(self, reading: Reading) -> str:
        return tables.device_text(reading)
