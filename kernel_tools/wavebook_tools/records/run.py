"""What one run takes in (spec.json), where it stands (its state) and what it yields (result.json)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from wavebook_tools.errors import UsageError
from wavebook_tools.records.files import FORMAT
from wavebook_tools.records.plan import (
    Document,
    EvaluationSpec,
    ExperimentId,
    ExperimentSpec,
    Overrides,
    Seed,
    WavePlan,
)

RUN_FOLDER_VARIABLE = "WAVEBOOK_RUN_FOLDER"
"""Environment variable that every process below a run's supervisor carries: its notebook finds the record by it, and
what is left of a process tree whose root died is found by it too."""


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    EVALUATING = "evaluating"
    DONE = "done"
    FAILED = "failed"
    HUNG = "hung"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the run has ended and will not change its state again."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({RunState.DONE, RunState.FAILED, RunState.HUNG, RunState.CANCELLED})


class RunId(str):
    """The name of a run everywhere: ``exp001/s0``, a repeat of it ``exp001/s0-r1``.

    Raises:
        UsageError: The text does not name a run.
    """

    experiment: str
    seed: int
    repeat: int

    def __new__(cls, text: str) -> RunId:
        match = re.fullmatch(r"(exp\d{3,})/s(\d+)(?:-r([1-9]\d*))?", text)
        if match is None:
            raise UsageError(f"{text!r} does not name a run; runs are named like 'exp001/s0'")
        run_id = super().__new__(cls, text)
        run_id.experiment, run_id.seed, run_id.repeat = match[1], int(match[2]), int(match[3] or 0)
        return run_id

    @classmethod
    def of(cls, experiment: str, seed: int, repeat: int = 0) -> RunId:
        """The run of an experiment's seed; ``repeat`` counts further executions of the same seed from 1."""
        return cls(f"{experiment}/s{seed}" + (f"-r{repeat}" if repeat else ""))

    @property
    def folder(self) -> str:
        """Name of the run's folder below its experiment's."""
        return self.partition("/")[2]


def latest_repeats(run_ids: Iterable[str]) -> list[RunId]:
    """The newest repeat of each experiment's seed among ``run_ids``: a repeat stands for the run it repeats."""
    latest: dict[tuple[str, int], RunId] = {}
    for run_id in map(RunId, run_ids):
        key = (run_id.experiment, run_id.seed)
        if key not in latest or run_id.repeat > latest[key].repeat:
            latest[key] = run_id
    return list(latest.values())


class RunSpec(Document):
    """The whole input of one run: what its notebook's parameters are made from."""

    format: Literal[1] = FORMAT
    id: str
    wave: int = Field(ge=1)
    experiment: ExperimentId
    slug: str
    goal: str = ""
    hypothesis: str
    baseline: bool = False
    task: str
    seed: Seed
    repeat: int = Field(default=0, ge=0)
    num_envs: int = Field(ge=1)
    iterations: int = Field(ge=1)
    overrides: Overrides = Field(
        default_factory=dict, description="The wave's base overrides and the experiment's, merged"
    )
    devices: list[str] = Field(default=["auto"])
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    template: str = "train"
    checkpoint: str | None = Field(default=None, description="Checkpoint to resume from, relative to the project")
    planner: str = "human"
    wavebook_version: str = ""
    created: float = Field(default_factory=time.time, description="Unix seconds")

    @classmethod
    def from_plan(
        cls, plan: WavePlan, experiment: ExperimentSpec, seed: int, *, repeat: int = 0, version: str = ""
    ) -> RunSpec:
        """The run of one of a plan's experiments with one of its seeds."""
        return cls(
            id=RunId.of(experiment.id, seed, repeat),
            wave=plan.id,
            experiment=experiment.id,
            slug=experiment.slug,
            goal=plan.goal,
            hypothesis=experiment.hypothesis,
            baseline=experiment.baseline,
            task=plan.task,
            seed=seed,
            repeat=repeat,
            num_envs=experiment.num_envs or plan.num_envs,
            iterations=experiment.iterations or plan.iterations,
            overrides={**plan.overrides, **experiment.overrides},
            devices=plan.devices,
            evaluation=plan.evaluation,
            template=experiment.template,
            planner=plan.planner,
            wavebook_version=version,
        )

    @property
    def run_id(self) -> RunId:
        """The spec's id, parsed."""
        return RunId(self.id)


class Protocol(BaseModel):
    """The evaluation that made a result."""

    model_config = ConfigDict(extra="allow")
    name: str = "wavebook"
    version: int
    hash: str


class RunResult(BaseModel):
    """What the fixed evaluation measured. Further keys are kept as they are."""

    model_config = ConfigDict(extra="allow")

    format: Literal[1] = FORMAT
    protocol: Protocol
    error_vel_xy: float = Field(description="Mean error of the planar velocity [m/s]")
    error_vel_yaw: float = Field(description="Mean error of the yaw rate [rad/s]")
    time_out: float = Field(ge=0, le=1, description="Fraction of episodes that ended by time-out, not by a fall")
    terrain_level: float | None = Field(
        default=None, description="Mean level an evaluated robot clears; absent on flat ground"
    )
    per_terrain: dict[str, dict[str, Any]] = Field(default_factory=dict)
    num_envs: int
    seed: int
    device: str
    env_steps_per_second: float
    train_seconds: float
