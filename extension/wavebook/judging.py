"""The verdicts that the sidebar shows beside the experiments, computed anew only where runs ended since."""

from __future__ import annotations

import threading
from typing import Any

from wavebook_tools.comparison import verdicts
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project


class JudgedStatus:
    """The status of a project with the verdicts filled in."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[int, tuple[Any, dict[str, dict[str, Any]]]] = {}
        self._lock = threading.Lock()

    def all(self) -> dict[str, Any]:
        """All waves, as docs/server-api.md describes them; none in a folder that holds no project yet."""
        if not self.project.waves():
            return {"waves": []}
        document = project_status(Project.create(self.project.root))
        with self._lock:
            ended: tuple[tuple[str, str], ...] = ()
            for wave in document["waves"]:
                # A verdict may rest on the noise of earlier waves, so it depends on what ended up to its own.
                ended += tuple((run["id"], run["state"]) for run in wave["runs"])
                self._fill(wave, ended)
        return document

    def one(self, wave_id: int) -> dict[str, Any]:
        """One wave and its plan.

        Raises:
            NotFoundError: There is no such wave.
        """
        plan = self.project.wave(wave_id).plan()
        wave: dict[str, Any] = next(wave for wave in self.all()["waves"] if wave["id"] == wave_id)
        return {**wave, "plan": plan.model_dump(mode="json")}

    def _fill(self, wave: dict[str, Any], ended: tuple[tuple[str, str], ...]) -> None:
        if not any(run["state"] == "done" for run in wave["runs"]):
            return
        key, judged = self._known.get(wave["id"], (None, {}))
        if key != ended:
            try:
                judged = {name: v.model_dump(mode="json") for name, v in verdicts(self.project, wave["id"]).items()}
            except WavebookError:
                judged = {}  # a damaged record: the comparison tells which
            self._known[wave["id"]] = (ended, judged)
        for experiment in wave["experiments"]:
            experiment["verdict"] = judged.get(experiment["id"])
