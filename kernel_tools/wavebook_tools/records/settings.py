"""wavebook.toml: the settings of a project."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.engine_settings import EngineSettings
from wavebook_tools.records.files import first_problem
from wavebook_tools.records.night_settings import NightSettings
from wavebook_tools.records.plan import Budget, Document, EvaluationSpec
from wavebook_tools.records.planner_settings import PlannerSettings
from wavebook_tools.records.run import RunLimits

MAX_SLOTS = 64
"""Runs that may ever share a device."""


class TrainingSettings(Document):
    """What a wave trains when its directive names nothing else."""

    task: str = "Wavebook-Velocity-Rough-DHAV1"
    num_envs: int = Field(default=4096, ge=1)
    iterations: int = Field(default=2000, ge=1)


class DeviceSettings(Document):
    """Which devices the queue may use."""

    use: list[str] = Field(default=["auto"], description="['auto'], ['cpu'] or GPU indices and UUIDs")
    runs_per_gpu: int = Field(
        default=1, ge=1, le=MAX_SLOTS, description="How many runs share a device; from 2 on the agent's waves do so"
    )
    foreign: Literal["warn", "block"] = Field(
        default="warn", description="Whether processes on a GPU that are no runs keep runs away from it"
    )

    @property
    def share(self) -> bool:
        """Whether the agent's waves share devices."""
        return self.runs_per_gpu > 1


class QueueSettings(Document):
    """How the queue moves."""

    max_running: int | None = Field(default=None, ge=1, description="Runs at a time; as many as fit where absent")


class WatchdogSettings(Document):
    """How long a run may be silent before it counts as hung [s]; learned from earlier runs where absent."""

    starting: float | None = Field(default=None, gt=0)
    compiling: float | None = Field(default=None, gt=0)
    training: float | None = Field(default=None, gt=0)
    evaluating: float | None = Field(default=None, gt=0)

    def patience(self) -> dict[str, float]:
        """The phases that are set."""
        return {phase: seconds for phase, seconds in self if seconds is not None}


class LimitSettings(Document):
    """What one run may use."""

    run_hours: float | None = Field(default=None, gt=0, description="Time from its start [h]")
    cell_output_kb: int = Field(default=256, ge=1, description="Printed text that a cell keeps in the notebook [kB]")
    free_disk_gb: float = Field(default=0.5, ge=0, description="Disk space that must stay free [GB]")

    def of_run(self, run_hours: float | None = None) -> RunLimits:
        """The limits of a run whose plan allows it ``run_hours``; the shorter time holds."""
        hours = [value for value in (self.run_hours, run_hours) if value is not None]
        return RunLimits(
            hours=min(hours, default=None),
            cell_output_bytes=self.cell_output_kb * 1024,
            free_disk_bytes=round(self.free_disk_gb * 1e9),
        )


class Settings(Document):
    """All of wavebook.toml; a missing section takes its defaults."""

    training: TrainingSettings = Field(default_factory=TrainingSettings)
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    devices: DeviceSettings = Field(default_factory=DeviceSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    watchdog: WatchdogSettings = Field(default_factory=WatchdogSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)
    budget: Budget = Field(default_factory=Budget)
    planner: PlannerSettings = Field(default_factory=PlannerSettings)
    night: NightSettings = Field(default_factory=NightSettings)


def _names(model: BaseModel, prefix: str = "") -> Iterator[str]:
    """The dotted names of a model's settings, those of its sections instead of the sections."""
    for name, value in model:
        if isinstance(value, BaseModel):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def read_settings(path: Path) -> Settings:
    """Read wavebook.toml; a missing file means the defaults.

    Raises:
        UsageError: Not TOML, an unknown name or a wrong value; the message names it.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        unknown = next((p["loc"] for p in error.errors() if p["type"] == "extra_forbidden"), None)
        if unknown is not None:
            name = ".".join(map(str, unknown))
            raise UsageError(f"{path}: unknown setting {name!r}.{did_you_mean(name, _names(Settings()))}") from error
        raise UsageError(f"{path}: {first_problem(error)}") from error
