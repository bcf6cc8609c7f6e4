"""What a person changes in a plan before approving it, checked field by field."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wavebook_tools.errors import UsageError, WavebookError, did_you_mean
from wavebook_tools.records.files import first_problem
from wavebook_tools.records.plan import LARGEST_SEED, MOST_SEEDS, ExperimentSpec, WavePlan
from wavebook_tools.tasks import TaskSchema, check_overrides, check_plan, task_named
from wavebook_tools.tasks.check import check_devices


class ExperimentChanges(BaseModel):
    """Changes of one experiment."""

    model_config = ConfigDict(extra="forbid")

    overrides: dict[str, Any] = Field(default_factory=dict, max_length=64)
    """New values of names that the experiment overrides already."""
    seeds: list[Any] | None = Field(default=None, max_length=MOST_SEEDS)
    """Anything, so that what is no seed is told at its field."""


class PlanChanges(BaseModel):
    """Changes of a plan. What is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    drop: list[str] = Field(default_factory=list, max_length=64)
    """Experiments that are not to run."""
    experiments: dict[str, ExperimentChanges] = Field(default_factory=dict, max_length=64)
    devices: list[str] | None = Field(default=None, max_length=64)


class FieldsError(UsageError):
    """Changes that cannot be made."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("\n".join(fields.values()))
        self.fields = dict(fields)
        """By field: ``exp002.overrides.NAME``, ``exp002.seeds``, ``devices``, or ``plan``; what is wrong with it."""


def changed(
    plan: WavePlan,
    changes: PlanChanges,
    tasks: Mapping[str, TaskSchema] | None = None,
    device_names: Collection[str] = (),
) -> tuple[WavePlan, list[str]]:
    """The plan with a person's changes, and each change in words.

    Raises:
        FieldsError: A change cannot be made; each problem stands at its field.
    """
    schema = task_named(plan.task, tasks)
    wrong: dict[str, str] = {}
    told: list[str] = []
    known = [experiment.id for experiment in plan.experiments]
    for unknown in [name for name in [*changes.drop, *changes.experiments] if name not in known]:
        wrong["plan"] = f"{unknown[:40]!r} is no experiment of wave {plan.id}.{did_you_mean(unknown, known)}"
    experiments = []
    for experiment in plan.experiments:
        if experiment.id in changes.drop:
            told.append(f"{experiment.id} dropped")
        else:
            change = changes.experiments.get(experiment.id, ExperimentChanges())
            experiments.append(_changed_experiment(experiment, change, schema, wrong, told))
    if not experiments:
        wrong["plan"] = "every experiment is dropped; reject the plan instead"
    devices = plan.devices if changes.devices is None else changes.devices
    if devices != plan.devices:
        try:
            check_devices(devices, device_names)
            told.append(f"devices: {', '.join(plan.devices)} -> {', '.join(devices)}")
        except UsageError as error:
            wrong["devices"] = str(error)
    if wrong:
        raise FieldsError(wrong)
    try:
        result = WavePlan.model_validate(
            plan.model_dump() | {"experiments": [e.model_dump() for e in experiments], "devices": devices}
        )
        check_plan(result, tasks, device_names=device_names)
    except ValidationError as error:
        raise FieldsError({"plan": first_problem(error)}) from error
    except WavebookError as error:
        raise FieldsError({"plan": str(error)}) from error
    return result, told


def defaults(plan: WavePlan, tasks: Mapping[str, TaskSchema] | None = None) -> dict[str, Any]:
    """What the task has without the plan, for every name that the plan overrides."""
    try:
        parameters = task_named(plan.task, tasks).parameters
    except WavebookError:
        return {}  # a task of a plug-in that is gone; its old plans are shown all the same
    names = {*plan.overrides, *(name for experiment in plan.experiments for name in experiment.overrides)}
    return {name: parameters[name].default for name in sorted(names) if name in parameters}


def _changed_experiment(
    experiment: ExperimentSpec,
    change: ExperimentChanges,
    schema: TaskSchema,
    wrong: dict[str, str],
    told: list[str],
) -> ExperimentSpec:
    owner = experiment.id
    overrides = dict(experiment.overrides)
    for name, value in change.overrides.items():
        field = f"{owner}.overrides.{name}"
        if name not in overrides:
            wrong[field] = f"{owner} does not override {name!r}.{did_you_mean(name, overrides)}"
            continue
        try:
            check_overrides(schema, {name: value})
        except UsageError as error:
            wrong[field] = str(error)
            continue
        if value != overrides[name]:
            told.append(f"{owner} {name}: {json.dumps(overrides[name])} -> {json.dumps(value)}")
            overrides[name] = value
    seeds = experiment.seeds if change.seeds is None else change.seeds
    if problem := _wrong_seeds(seeds):
        wrong[f"{owner}.seeds"] = problem
        return experiment
    try:
        result = ExperimentSpec.model_validate(experiment.model_dump() | {"overrides": overrides, "seeds": seeds})
    except ValidationError as error:
        wrong[f"{owner}.seeds"] = first_problem(error)
        return experiment
    if seeds != experiment.seeds:
        told.append(f"{owner} seeds: {_listed(experiment.seeds)} -> {_listed(seeds)}")
    return result


def _wrong_seeds(seeds: list[Any]) -> str | None:
    for seed in seeds:
        if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
            return f"{str(seed)[:40]} is no seed: seeds are whole numbers from 0 to {LARGEST_SEED}"
    return None if seeds else "give at least 1 seed, or leave the experiment out"


def _listed(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds))
