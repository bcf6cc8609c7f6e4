"""Control of GPUs and queue from any notebook of a project, by ipywidgets.

``control()`` shows all; ``GpuPanel``, ``QueuePanel``, ``submit_form`` and ``log_view`` show one part each. They take
the project that the notebook lies in, or the one given.
"""

from __future__ import annotations

from pathlib import Path

from wavebook_tools.records.project import Project
from wavebook_tools.widgets.control import ControlPanel
from wavebook_tools.widgets.devices import GpuPanel
from wavebook_tools.widgets.form import SubmitForm
from wavebook_tools.widgets.logs import LogView
from wavebook_tools.widgets.queue import QueuePanel

__all__ = ["ControlPanel", "GpuPanel", "LogView", "QueuePanel", "SubmitForm", "control", "log_view", "submit_form"]


def control(project: Project | Path | str | None = None) -> ControlPanel:
    """Devices, runs and the form in one panel."""
    return ControlPanel(project)


def submit_form(project: Project | Path | str | None = None) -> SubmitForm:
    """A form that submits a notebook with parameters to chosen devices."""
    return SubmitForm(project)


def log_view(run: str, project: Project | Path | str | None = None) -> LogView:
    """The end of a run's log as it grows.

    Args:
        run: The run's name, as ``exp001/s0``.

    Raises:
        NotFoundError: There is no such run.
    """
    return LogView(run, project)
