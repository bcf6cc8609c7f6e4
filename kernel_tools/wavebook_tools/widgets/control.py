"""Everything at once: devices, runs, a form to submit another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets  # type: ignore[import-untyped]

from wavebook_tools.records.project import Project
from wavebook_tools.widgets.devices import GpuPanel
from wavebook_tools.widgets.form import SubmitForm
from wavebook_tools.widgets.panel import Panel
from wavebook_tools.widgets.queue import QueuePanel
from wavebook_tools.widgets.reading import Reading


class ControlPanel(Panel):
    """Devices, runs, and a form that is opened when it is wanted."""

    def __init__(self, project: Project | Path | str | None = None) -> None:
        super().__init__(project)
        self.devices, self.queue, self.form = GpuPanel(self.project), QueuePanel(self.project), SubmitForm(self.project)
        self._form: Any = ipywidgets.Accordion(
            [self.form.embed()], titles=("Submit a notebook",), selected_index=None, layout={"margin": "6px 0 0"}
        )
        self.widget.children = (self.devices.embed(), self.queue.embed(), self._form)

    def draw(self, reading: Reading) -> None:
        self.devices.draw(reading)
        self.queue.draw(reading)

    def body(self, reading: Reading) -> str:
        return self.devices.body(reading) + self.queue.body(reading)

    def text(self, reading: Reading) -> str:
        return f"{self.devices.text(reading)}\n{self.queue.text(reading)}"

    def close(self) -> None:
        for part in (self.devices, self.queue, self.form):
            part.close()
        self._form.close()
        super().close()
