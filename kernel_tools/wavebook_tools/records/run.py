"""What one run takes in (spec.json), where it stands (its state) and what it yields (result.json)."""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from wavebook_tools.records.code import CodeOverride
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
from wavebook_tools.records.states import FINAL_STATES, RUN_FOLDER_VARIABLE, RunId, RunState, latest_repeats

__all__ = [
    "FINAL_STATES",
    "RUN_FOLDER_VARIABLE",
    "Protocol",
    "RunId",
    "RunResult",
    "RunSpec",
    "RunState",
    "latest_repeats",
]


class RunLimits(Document):
    """What one run may use before it is ended, or its output cut."""

    hours: float | None = Field(default=None, gt=0, description="Time from its start [h]")
    cell_output_bytes: int = Field(
        default=256 * 1024, ge=1024, description="Printed text that a cell keeps in the notebook; log.txt has all"
    )
    free_disk_bytes: int = Field(
        default=500 * 1000 * 1000, ge=0, description="Below this much free space no run starts, and one that runs ends"
    )


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
    code: list[CodeOverride] = Field(default_factory=list, description="Terms in source, the wave's and its own")
    devices: list[str] = Field(default=["auto"])
    gpus: int = Field(default=1, ge=1, description="Devices that the run trains on together")
    share: bool = Field(default=False, description="Whether it may share its device")
    priority: int = 0
    limits: RunLimits = Field(default_factory=RunLimits)
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    template: str = "train"
    checkpoint: str | None = Field(default=None, description="Checkpoint to resume from, relative to the project")
    resumed_from: str | None = Field(default=None, description="The run whose checkpoint this one goes on from")
    planner: str = "human"
    wavebook_version: str = ""
    created: float = Field(default_factory=time.time, description="Unix seconds")

    @classmethod
    def from_plan(
        cls,
        plan: WavePlan,
        experiment: ExperimentSpec,
        seed: int,
        *,
        repeat: int = 0,
        limits: RunLimits | None = None,
        version: str = "",
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
            code=plan.code_of(experiment),
            devices=experiment.devices or plan.devices,
            gpus=experiment.gpus or plan.gpus,
            share=plan.share,
            priority=plan.priority,
            limits=limits or RunLimits(hours=plan.budget.run_hours),
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
