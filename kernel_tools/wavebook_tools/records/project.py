"""A project: the folder that holds settings, waves, the ledger and the queue's database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavebook_tools.errors import NotFoundError, UsageError, WavebookError, did_you_mean
from wavebook_tools.records.events import EventKind, events_backwards, events_from, read_events
from wavebook_tools.records.files import inside, open_regular, read_model, write_atomic
from wavebook_tools.records.states import RunId

# The documents' models are imported where one is read: the processes around a run need the paths alone, and pydantic
# would take up most of their start.
if TYPE_CHECKING:
    from wavebook_tools.records.ledger import Ledger
    from wavebook_tools.records.plan import WavePlan
    from wavebook_tools.records.run import RunResult, RunSpec
    from wavebook_tools.records.settings import Settings

SETTINGS_FILE = "wavebook.toml"
STATE_FOLDER = ".wavebook"


@dataclass(frozen=True)
class RunRecord:
    """What one run left on disk."""

    path: Path

    @property
    def spec_path(self) -> Path:
        return self.path / "spec.json"

    @property
    def notebook_path(self) -> Path:
        return self.path / "notebook.ipynb"

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def result_path(self) -> Path:
        return self.path / "result.json"

    @property
    def log_path(self) -> Path:
        return self.path / "log.txt"

    @property
    def cancel_path(self) -> Path:
        """The request to end the run, there once somebody made it."""
        return self.path / "cancel.json"

    @property
    def stacks_path(self) -> Path:
        """Where the run's processes stood when it was found hung."""
        return self.path / "stacks.txt"

    @property
    def checkpoints_path(self) -> Path:
        return self.path / "checkpoints"

    @property
    def id(self) -> RunId:
        """The run's name, from its folder."""
        return RunId(f"{self.path.parent.name.partition('-')[0]}/{self.path.name}")

    def spec_fields(self) -> dict[str, Any]:
        """The run's input as it stands in spec.json, unchecked and without pydantic, which takes long to import.

        Returns:
            An empty dictionary where the file is missing or damaged; the worker says what is wrong with it.
        """
        try:
            with open_regular(self.spec_path) as stream:
                document = json.load(stream)
        except (OSError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def spec(self) -> RunSpec:
        """The run's input.

        Raises:
            WavebookError: spec.json is missing or damaged.
        """
        from wavebook_tools.records.run import RunSpec

        return read_model(self.spec_path, RunSpec)

    def result(self) -> RunResult | None:
        """The evaluation's result, or None where the run has none.

        Raises:
            WavebookError: result.json is damaged.
        """
        from wavebook_tools.records.run import RunResult

        return read_model(self.result_path, RunResult) if self.result_path.exists() else None

    def events(self, *, start: int = 0) -> Iterator[dict[str, Any]]:
        """The run's events from byte ``start`` on."""
        return read_events(self.events_path, start=start)

    def events_backwards(self, kind: EventKind) -> Iterator[dict[str, Any]]:
        """The run's events of one kind, newest first, however long ago they were."""
        return events_backwards(self.events_path, kind)

    def alerts(self) -> list[dict[str, Any]]:
        """What was found wrong with the run, oldest first."""
        return list(self.events_backwards("alert"))[::-1]

    def events_from(self, start: int) -> Iterator[tuple[dict[str, Any], int]]:
        """The run's events with the offset behind each [bytes]."""
        return events_from(self.events_path, start)


@dataclass(frozen=True)
class WaveRecord:
    """An approved wave on disk."""

    path: Path

    @property
    def id(self) -> int:
        return int(self.path.name.partition("-")[0])

    @property
    def plan_path(self) -> Path:
        return self.path / "wave.json"

    @property
    def comparison_path(self) -> Path:
        return self.path / "comparison.html"

    @property
    def report_path(self) -> Path:
        return self.path / "report.ipynb"

    def plan(self) -> WavePlan:
        """The approved plan.

        Raises:
            WavebookError: wave.json is missing or damaged.
        """
        from wavebook_tools.records.plan import WavePlan

        return read_model(self.plan_path, WavePlan)

    def runs(self) -> list[RunRecord]:
        """The wave's runs in order of experiment, seed and repeat."""
        folders = (path for path in self.path.glob("exp*/s*") if path.is_dir())
        found = []
        for path in folders:
            record = RunRecord(path)
            try:
                run_id = record.id
            except UsageError:
                continue  # a folder that a person put there
            found.append((int(run_id.experiment[3:]), run_id.seed, run_id.repeat, record))
        return [record for *_, record in sorted(found, key=lambda item: item[:3])]


class Project:
    """The folder that holds all of it, the folder JupyterLab was started in."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @classmethod
    def create(cls, root: Path, settings_text: str = "") -> Project:
        """Open the project at ``root`` and make what is missing of it.

        Raises:
            WavebookError: The folder cannot be written.
        """
        project = cls(root)
        try:
            project.waves_path.mkdir(parents=True, exist_ok=True)
            project.state_path.mkdir(exist_ok=True)
        except OSError as error:
            raise WavebookError(
                f"the project folder {project.root} cannot be written: {error.strerror or error}; "
                "choose another with --project"
            ) from error
        if not os.access(project.root, os.W_OK | os.X_OK) or not os.access(project.state_path, os.W_OK | os.X_OK):
            raise WavebookError(f"the project folder {project.root} is not writable; choose another with --project")
        if not project.settings_path.exists():
            write_atomic(
                project.settings_path, settings_text or "# Settings of this Wavebook project; see docs/settings.md\n"
            )
        return project

    @classmethod
    def find(cls, start: Path) -> Project:
        """The project that ``start`` lies in: the nearest folder upwards with a wavebook.toml.

        Raises:
            NotFoundError: No such folder.
        """
        for folder in [start.resolve(), *start.resolve().parents]:
            if (folder / SETTINGS_FILE).exists():
                return cls(folder)
        raise NotFoundError(
            f"{start.resolve()} is not in a Wavebook project (no {SETTINGS_FILE} here or above); "
            "go to one, name it with --project, or start one with `wavebook plan`"
        )

    @property
    def settings_path(self) -> Path:
        return self.root / SETTINGS_FILE

    @property
    def state_path(self) -> Path:
        return self.root / STATE_FOLDER

    @property
    def waves_path(self) -> Path:
        return self.root / "waves"

    @property
    def database_path(self) -> Path:
        return self.state_path / "wavebook.db"

    @property
    def ledger(self) -> Ledger:
        """The project's list of decisions."""
        from wavebook_tools.records.ledger import Ledger

        return Ledger(self.root / "ledger.jsonl")

    def settings(self) -> Settings:
        """wavebook.toml; UsageError where it is wrong."""
        from wavebook_tools.records.settings import read_settings

        return read_settings(self.settings_path)

    def resolve(self, relative: str) -> Path:
        """A path below the project; UsageError where it leaves it."""
        return inside(self.root, relative)

    def relative(self, path: Path) -> str:
        """``path`` as JupyterLab's file browser names it: relative to the project, with slashes."""
        return path.resolve().relative_to(self.root).as_posix()

    def waves(self) -> list[WaveRecord]:
        """The approved waves, oldest first; a folder without a plan is none."""
        folders = [path.parent for path in self.waves_path.glob("[0-9]*-*/wave.json")]
        waves = [WaveRecord(path) for path in folders if path.name.partition("-")[0].isdigit()]
        return sorted(waves, key=lambda wave: wave.id)

    def wave(self, wave_id: int) -> WaveRecord:
        """The approved wave of that number; NotFoundError where there is none."""
        waves = self.waves()
        for wave in waves:
            if wave.id == wave_id:
                return wave
        known = ", ".join(str(wave.id) for wave in waves) or "none yet"
        raise NotFoundError(f"there is no wave {wave_id} in {self.root}; waves here: {known}")

    def runs(self) -> list[RunRecord]:
        """All runs of all waves."""
        return [run for wave in self.waves() for run in wave.runs()]

    def run(self, run_id: str) -> RunRecord:
        """The run of that name, as ``exp001/s0``; NotFoundError where there is none."""
        wanted = RunId(run_id)
        for folder in sorted(self.waves_path.glob(f"[0-9]*/{wanted.experiment}-*/{wanted.folder}")):
            if folder.is_dir():
                return RunRecord(folder)
        raise NotFoundError(
            f"there is no run {run_id!r} in {self.root}.{did_you_mean(run_id, [r.id for r in self.runs()])}"
        )

    def run_folder(self, plan: WavePlan, spec: RunSpec) -> Path:
        """Where the record of a run belongs."""
        return self.waves_path / plan.folder / f"{spec.experiment}-{spec.slug}" / spec.run_id.folder
