"""A form that submits a notebook with parameters to chosen devices."""

from __future__ import annotations

import sqlite3
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets  # type: ignore[import-untyped]

from wavebook_tools.errors import WavebookError
from wavebook_tools.records.project import Project
from wavebook_tools.tasks.catalogue import load_tasks
from wavebook_tools.widgets import submission, tables
from wavebook_tools.widgets.clicks import button
from wavebook_tools.widgets.panel import Panel, account
from wavebook_tools.widgets.reading import Reading

_WIDE = {"width": "min(640px, 98%)"}
_LABEL = {"description_width": "110px"}


class SubmitForm(Panel):
    """Submits a template, or a notebook of the project that has a cell tagged ``parameters``, as a wave of its own."""

    def __init__(self, project: Project | Path | str | None = None) -> None:
        super().__init__(project)
        names = submission.notebooks(self.project)
        self._notebook: Any = ipywidgets.Dropdown(
            options=names,
            value="train" if "train" in names else next(iter(names), None),
            description="Notebook",
            layout=_WIDE,
            style=_LABEL,
        )
        self._task: Any = ipywidgets.Combobox(
            options=tuple(_tasks()), description="Task", continuous_update=False, layout=_WIDE, style=_LABEL
        )
        self._hypothesis = _text("Hypothesis", "what this run is to find out")
        self._name = _text("Name", "a short name for its folder; from the hypothesis where empty")
        self._num_envs = _number("Environments", 1)
        self._iterations = _number("Iterations", 1)
        self._seeds = _text("Seeds", "0, 1, 2 or 0-2", "0")
        self._overrides: Any = ipywidgets.Textarea(
            description="Overrides",
            placeholder="one a line, as env.rewards.track_lin_vel_xy_exp.weight = 2.0",
            rows=3,
            continuous_update=False,
            layout=_WIDE,
            style=_LABEL,
        )
        self._devices: Any = ipywidgets.SelectMultiple(
            options=self._choices(), value=("auto",), description="Devices", rows=4, layout=_WIDE, style=_LABEL
        )
        self._gpus = _number("GPUs a run", 1)
        self._priority = _number("Priority", 0)
        self._share: Any = ipywidgets.Checkbox(description="may share its device", indent=False)
        self._submit = button("Submit", "Queue the runs now; the click is the approval", self._send, style="primary")
        self._sent: submission.Request | None = None
        self._defaults: dict[str, Any] = {}
        self._said: Any = ipywidgets.HTML()
        self._numbers = ipywidgets.HBox([self._num_envs, self._iterations], layout={"flex_flow": "row wrap"})
        self._places = ipywidgets.HBox(
            [self._gpus, self._priority, self._share], layout={"flex_flow": "row wrap", "align_items": "center"}
        )
        self.widget.children = (
            self._notebook,
            self._task,
            self._hypothesis,
            self._name,
            self._numbers,
            self._seeds,
            self._overrides,
            self._devices,
            self._places,
            self._submit,
            self._said,
        )
        self._notebook.observe(lambda _: self._take_defaults(), names="value")
        self._take_defaults()

    def contents(self) -> list[Any]:
        return [*self._numbers.children, *self._places.children, *self.widget.children]

    def body(self, reading: Reading) -> str:
        request = self.request()
        rows = [
            ("Notebook", request.notebook),
            ("Task", request.task),
            ("Hypothesis", request.hypothesis),
            ("Environments", str(request.num_envs)),
            ("Iterations", str(request.iterations)),
            ("Seeds", request.seeds),
            ("Overrides", request.overrides),
            ("Devices", ", ".join(reading.labels.get(name, name) for name in request.devices)),
        ]
        return tables.name_table("A run to submit", rows) + str(self._said.value)

    def text(self, reading: Reading) -> str:
        request = self.request()
        return f"A run of {request.notebook} on {', '.join(request.devices)}, to submit with a kernel"

    def request(self) -> submission.Request:
        """What the form holds now."""
        return submission.Request(
            notebook=self._notebook.value or "",
            task=self._task.value.strip(),
            name=self._name.value,
            hypothesis=self._hypothesis.value,
            num_envs=self._num_envs.value,
            iterations=self._iterations.value,
            seeds=self._seeds.value,
            overrides=self._overrides.value,
            devices=tuple(self._devices.value),
            gpus=self._gpus.value,
            share=self._share.value,
            priority=self._priority.value,
        )

    def _send(self) -> None:
        request = self.request()
        if request == self._sent:
            self._sent = None  # a third click means it
            self._say("This was submitted just now; click again to submit it once more", error=True)
            return
        try:
            runs = submission.submit(self.project, request, account())
        except (WavebookError, sqlite3.Error, OSError) as error:
            self._say(str(error), error=True)
        else:
            self._sent = request
            self._say(f"Queued: {', '.join(runs)}")
            self.feed.hurry()

    def _say(self, text: str, *, error: bool = False) -> None:
        self._said.value = tables.message(text, error=error)

    def _take_defaults(self) -> None:
        """Fill in what the chosen notebook has by itself; a number that a person typed stays."""
        found = submission.defaults(self.project, self._notebook.value or "")
        for name, widget in (("num_envs", self._num_envs), ("iterations", self._iterations)):
            if isinstance(found.get(name), int) and widget.value == self._defaults.get(name, widget.value):
                widget.value = self._defaults[name] = found[name]
        if isinstance(task := found.get("task"), str) and task:
            self._task.value = task
        elif not self._task.value:
            self._task.value = self.project.settings().training.task

    def _choices(self) -> list[tuple[str, str]]:
        devices = self.feed.now().devices
        named = [(f"{d.title} · {d.name}", d.id) for d in devices]
        return [("any free device", "auto"), *named]


def _tasks() -> list[str]:
    try:
        return sorted(load_tasks())
    except WavebookError:
        return []  # a broken plug-in is told when a plan is checked


def _text(label: str, placeholder: str, value: str = "") -> Any:
    return ipywidgets.Text(
        value=value,
        description=label,
        placeholder=escape(placeholder),
        continuous_update=False,
        layout=_WIDE,
        style=_LABEL,
    )


def _number(label: str, value: int) -> Any:
    return ipywidgets.IntText(
        value=value, description=label, continuous_update=False, layout={"width": "240px"}, style=_LABEL
    )
