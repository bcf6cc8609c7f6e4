"""What is planned: a wave of experiments, each one hypothesis and one set of overrides."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from wavebook_tools.records.code import MOST, CodeOverride, marks, merged
from wavebook_tools.records.files import FORMAT

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
ExperimentId = Annotated[str, Field(pattern=r"^exp\d{3,}$")]
LARGEST_SEED = 2**31 - 1
MOST_SEEDS = 32
"""Of one experiment."""

Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Overrides = dict[str, Any]
"""Dotted paths into a task's configuration (``env.…`` and ``agent.…``) and the values to set there."""


class Document(BaseModel):
    """Base of everything that is written to disk."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Prediction(Document):
    """What an experiment says will happen, checked after it ran."""

    metric: str = Field(description="A key of result.json, for example error_vel_xy")
    direction: Literal["down", "up", "same"]
    by: float | None = Field(default=None, ge=0, description="The least relative change, 0.1 for ten percent")


class ExperimentSpec(Document):
    """One hypothesis and one set of overrides on the wave's base configuration."""

    id: ExperimentId
    slug: Slug
    hypothesis: str = Field(min_length=1, max_length=2000)
    overrides: Overrides = Field(default_factory=dict)
    seeds: list[Seed] = Field(default=[0], min_length=1, max_length=MOST_SEEDS)
    num_envs: int | None = Field(default=None, ge=1, description="Parallel environments; the wave's where absent")
    iterations: int | None = Field(default=None, ge=1, description="PPO iterations; the wave's where absent")
    prediction: Prediction | None = None
    baseline: bool = Field(default=False, description="The experiment that the wave's others are judged against")
    devices: list[str] | None = Field(default=None, description="Where its runs may go; the wave's where absent")
    gpus: int | None = Field(default=None, ge=1, le=64, description="Devices of each run; the wave's where absent")
    template: str = Field(default="train", description="Name of the notebook template")
    code: list[CodeOverride] = Field(
        default_factory=list, max_length=MOST, description="Terms in source that the experiment brings along"
    )
    evidence: list[str] = Field(
        default_factory=list, description="Records this choice rests on, as exp001 or exp001/s0"
    )

    @property
    def changes(self) -> dict[str, Any]:
        """All that it changes: its overrides, and its code as ``code.reward.NAME``."""
        return {**self.overrides, **marks(self.code)}

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("the same seed stands twice; a replicate needs another seed")
        return seeds


class Budget(Document):
    """What a wave may spend."""

    max_runs: int = Field(default=12, ge=1)
    gpu_hours: float | None = Field(default=None, gt=0, description="Over all runs; the wave is ended when it is spent")
    run_hours: float | None = Field(default=None, gt=0, description="The longest that one run may take [h]")

    def within(self, most: Budget) -> Budget:
        """This budget, with no more hours than ``most`` allows."""
        return self.model_copy(
            update={
                name: min((h for h in (getattr(self, name), getattr(most, name)) if h is not None), default=None)
                for name in ("gpu_hours", "run_hours")
            }
        )


class EvaluationSpec(Document):
    """Size and ground of the fixed evaluation; commands, seeds and all else belong to the protocol.

    Planners take it from the project's settings: an agent cannot choose the ground that its runs are judged on.
    """

    num_envs: int = Field(default=256, ge=1)
    seconds: float = Field(
        default=20.0, gt=1, description="Simulated length of an evaluation episode; its first second does not count [s]"
    )
    terrain_set: str | None = Field(
        default=None, description="Ground that runs are judged on, where the task has several; full where absent"
    )


class WavePlan(Document):
    """Experiments planned and judged together."""

    format: Literal[1] = FORMAT
    id: int = Field(ge=1)
    slug: Slug
    goal: str = Field(min_length=1, max_length=2000)
    directive: str = Field(default="", max_length=10_000)
    parent: int | None = Field(default=None, ge=1)
    task: str
    num_envs: int = Field(ge=1)
    iterations: int = Field(ge=1)
    overrides: Overrides = Field(default_factory=dict, description="Base overrides that every experiment shares")
    code: list[CodeOverride] = Field(
        default_factory=list, max_length=MOST, description="Terms in source that every experiment shares"
    )
    experiments: list[ExperimentSpec] = Field(min_length=1, max_length=64)
    devices: list[str] = Field(
        default=["auto"], description="Where runs may go: ['auto'], ['cpu'] or GPU indices and UUIDs"
    )
    gpus: int = Field(default=1, ge=1, le=64, description="Devices that each run trains on together")
    share: bool = Field(default=False, description="Whether a run may share its device with others of its kind")
    priority: int = Field(default=0, ge=-1000, le=1000, description="Runs of a higher priority start first")
    budget: Budget = Field(default_factory=Budget)
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    purpose: Literal["research", "diagnosis"] = Field(
        default="research",
        description="A diagnosis isolates why runs failed; its numbers rank nothing",
    )
    planner: str = Field(default="human", description="Who wrote the plan: human, offline, or a model's name")
    rationale: str = ""
    created: float = Field(default_factory=time.time, description="Unix seconds")

    @model_validator(mode="after")
    def _consistent(self) -> WavePlan:
        ids = [experiment.id for experiment in self.experiments]
        if len(set(ids)) != len(ids):
            raise ValueError("two experiments have the same id")
        runs = self.run_count
        if runs > self.budget.max_runs:
            raise ValueError(f"{runs} runs are planned and the budget allows {self.budget.max_runs} (budget.max_runs)")
        if self.share and any((experiment.gpus or self.gpus) > 1 for experiment in self.experiments):
            raise ValueError("a run that trains on several devices cannot share them")
        return self

    @property
    def run_count(self) -> int:
        """Runs of the wave: experiments times their seeds."""
        return sum(len(experiment.seeds) for experiment in self.experiments)

    def code_of(self, experiment: ExperimentSpec) -> list[CodeOverride]:
        """The terms in source that an experiment's runs use."""
        return merged(self.code, experiment.code)

    @property
    def folder(self) -> str:
        """Name of the wave's folder below ``waves/``."""
        return f"{self.id:03d}-{self.slug}"

    def experiment(self, experiment_id: str) -> ExperimentSpec:
        """The experiment of that id; KeyError where the wave has none."""
        for experiment in self.experiments:
            if experiment.id == experiment_id:
                return experiment
        raise KeyError(experiment_id)


def slugify(text: str, *, words: int = 6) -> str:
    """A folder name from free text: its first words in lower case, joined by hyphens."""
    found = re.findall(r"[a-z0-9]+", text.lower())[:words]
    return "-".join(found)[:48].strip("-") or "wave"
