"""The check of a plan before anything of it runs: names, types, ranges, devices, budget."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from wavebook_tools.code.check import check_code
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.plan import ExperimentSpec, WavePlan
from wavebook_tools.tasks.catalogue import task_named
from wavebook_tools.tasks.schema import Parameter, TaskSchema

FIELDS_OF_THE_PLAN = {
    "env.scene.num_envs": "num_envs of the plan or of the experiment",
    "agent.max_iterations": "iterations of the plan or of the experiment",
    "agent.seed": "seeds of the experiment",
    "env.seed": "seeds of the experiment",
    "env.sim.device": "devices of the plan",
    "agent.device": "devices of the plan",
}
"""Names that Isaac Lab would take and that are no overrides here, with what sets them instead."""

DEVICE = re.compile(r"cpu|\d+(:\d+)?|(GPU|MIG)-[0-9A-Za-z][0-9A-Za-z/.-]*")

MOST_ROBOTS = 131_072
"""The most parallel environments that one device trains: more than any card holds, and few enough to be no slip."""

MOST_ITERATIONS = 100_000
"""The most PPO iterations of one run: days on any task."""

_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list",
}


def check_overrides(schema: TaskSchema, overrides: Mapping[str, Any]) -> None:
    """Check overrides against the task's parameters.

    Raises:
        UsageError: An unknown name, a wrong type, or a value out of range. The message has a line for each problem,
            with the nearest valid choice.
    """
    problems = [problem for name, value in overrides.items() if (problem := _problem(schema, name, value))]
    removed = [name for name, value in overrides.items() if value is None]
    for name in overrides:
        for term in removed:
            if name.startswith(f"{term}."):
                problems.append(f"override {name!r}: {term!r} is removed by another override; leave one of the two out")
    if problems:
        raise UsageError("\n".join(problems))


def check_plan(
    plan: WavePlan, tasks: Mapping[str, TaskSchema] | None = None, *, device_names: Collection[str] = ()
) -> None:
    """Check a plan: its task, the overrides of each experiment, devices and budget.

    Args:
        plan: The plan; that its seeds differ and its ids are unique is checked when it is made.
        tasks: The tasks to check against; those of the plug-ins where absent.
        device_names: Names that the project's cluster has for devices.

    Raises:
        UsageError: Something in the plan cannot run; the message names the experiment, the thing and the reason.
    """
    schema = task_named(plan.task, tasks)
    _check_as("the wave", schema, plan.overrides)
    for experiment in plan.experiments:
        _check_as(experiment.id, schema, {**plan.overrides, **experiment.overrides})
        if experiment.devices is not None:
            check_devices(experiment.devices, device_names)
        _check_size(plan, experiment)
        _check_terms(experiment.id, schema, plan, experiment)
    _check_ground(plan, schema)
    baselines = [experiment.id for experiment in plan.experiments if experiment.baseline]
    if len(baselines) > 1:
        raise UsageError(f"{' and '.join(baselines)} are both marked as the baseline; a wave is judged against one")
    check_devices(plan.devices, device_names)
    if plan.run_count > plan.budget.max_runs:
        raise UsageError(
            f"{plan.run_count} runs are planned and the budget allows {plan.budget.max_runs}; "
            "drop an experiment or a seed, or raise budget.max_runs"
        )


def _check_ground(plan: WavePlan, schema: TaskSchema) -> None:
    wanted, sets = plan.evaluation.terrain_set, schema.parameters.get("env.terrain_set")
    if wanted is None or sets is None:  # a task with one ground is judged on that
        return
    if problem := _problem(schema, "env.terrain_set", wanted):
        raise UsageError(problem.replace("override 'env.terrain_set'", "evaluation.terrain_set"))


def _check_terms(owner: str, schema: TaskSchema, plan: WavePlan, experiment: ExperimentSpec) -> None:
    for code in plan.code_of(experiment):
        try:
            check_code(code)
        except UsageError as error:
            raise UsageError("\n".join(f"{owner}: {line}" for line in str(error).splitlines())) from error
        if f"env.rewards.{code.name}" in schema.parameters:
            raise UsageError(
                f"{owner}: code {code.name!r}: {schema.task} has a term of that name; call yours differently, and set "
                f"the task's own by env.rewards.{code.name}.weight"
            )


def _check_size(plan: WavePlan, experiment: ExperimentSpec) -> None:
    gpus, num_envs = experiment.gpus or plan.gpus, experiment.num_envs or plan.num_envs
    iterations = experiment.iterations or plan.iterations
    if num_envs > MOST_ROBOTS * gpus:
        several = f" on each of its {gpus} devices" if gpus > 1 else ""
        raise UsageError(f"{experiment.id}: num_envs is {num_envs}; a run has at most {MOST_ROBOTS} robots{several}")
    if iterations > MOST_ITERATIONS:
        raise UsageError(f"{experiment.id}: iterations is {iterations}; a run has at most {MOST_ITERATIONS}")
    if num_envs % gpus:
        lower, upper = num_envs // gpus * gpus, -(-num_envs // gpus) * gpus
        nearest = f"{lower} or {upper}" if lower else str(upper)
        raise UsageError(
            f"{experiment.id}: num_envs, the total of a run, is {num_envs} and cannot be shared evenly by {gpus} "
            f"devices; take {nearest}"
        )


def check_devices(devices: list[str], names: Collection[str] = ()) -> None:
    """Check how devices are named; whether this machine has them is known only when a run is placed.

    Raises:
        UsageError: An empty list, a name that is none, ``auto`` beside others, or a name that stands twice.
    """
    if not devices:
        raise UsageError("devices is empty; give ['auto'], ['cpu'] or GPU indices and UUIDs")
    if "auto" in devices and len(devices) > 1:
        raise UsageError("devices: 'auto' stands alone; name the devices or leave the choice, not both")
    for device in devices:
        if device != "auto" and device not in names and not DEVICE.fullmatch(device):
            raise UsageError(
                f"devices: {device!r} is no device name.{did_you_mean(device, ['auto', 'cpu', *names])} "
                "Give 'auto', 'cpu', a GPU's index as '0', or its UUID as 'GPU-…'"
            )
    if len(set(devices)) != len(devices):
        raise UsageError("devices: the same device stands twice")


def _check_as(owner: str, schema: TaskSchema, overrides: Mapping[str, Any]) -> None:
    try:
        check_overrides(schema, overrides)
    except UsageError as error:
        raise UsageError("\n".join(f"{owner}: {line}" for line in str(error).splitlines())) from error


def _problem(schema: TaskSchema, name: str, value: Any) -> str | None:
    if name in FIELDS_OF_THE_PLAN:
        return f"override {name!r}: this is set by {FIELDS_OF_THE_PLAN[name]}, not by an override"
    parameter = schema.parameters.get(name)
    if parameter is None:
        below = [known for known in schema.parameters if known.startswith(f"{name}.")]
        if below:
            some = ", ".join(below[:3]) + (", …" if len(below) > 3 else "")
            return f"override {name!r} names a group of {schema.task}, not a value; set one of {some}"
        return f"override {name!r} is unknown in {schema.task}.{did_you_mean(name, schema.parameters)}"
    reason = _refusal(parameter, value)
    return f"override {name!r}: {reason}" if reason else None


def _refusal(parameter: Parameter, value: Any) -> str | None:
    """Why a parameter cannot take a value, or None where it can."""
    if value is None:
        return None if parameter.nullable else f"null is not allowed; give {_expected(parameter)}"
    if parameter.type == "term":
        only = "null, which removes it" if parameter.nullable else "its own parameters"
        return f"{value!r} cannot replace a whole term; it takes {only}, and a weight is set by the name with .weight"
    if parameter.type == "list":
        if not isinstance(value, list | tuple):
            return f"{value!r} is {_kind(value)}; give {_expected(parameter)}"
        if parameter.length is not None and len(value) != parameter.length:
            return f"{list(value)!r} has {len(value)} items; it takes {parameter.length}"
        for item in value:
            if reason := _scalar_refusal(parameter, parameter.item, item):
                return f"an item of {list(value)!r}: {reason}"
        return None
    return _scalar_refusal(parameter, parameter.type, value)


def _scalar_refusal(parameter: Parameter, kind: str | None, value: Any) -> str | None:
    if kind is not None and not _fits(kind, value):
        return f"{value!r} is {_kind(value)}; give {_WORDS[kind]}{_unit(parameter)}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value!r} is not finite"
    if parameter.choices is not None and value not in parameter.choices:
        names = ", ".join(repr(choice) for choice in parameter.choices)
        return f"{value!r} is not a choice.{did_you_mean(str(value), map(str, parameter.choices))} Choices: {names}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if parameter.minimum is not None and value < parameter.minimum:
            return f"{value:g} is below the smallest value {parameter.minimum:g}{_unit(parameter)}"
        if parameter.maximum is not None and value > parameter.maximum:
            return f"{value:g} is above the largest value {parameter.maximum:g}{_unit(parameter)}"
    return None


def _fits(kind: str, value: Any) -> bool:
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, bool if kind == "bool" else str)


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else f"a {type(value).__name__}")


def _expected(parameter: Parameter) -> str:
    if parameter.type == "list":
        count = f" of {parameter.length}" if parameter.length is not None else ""
        return f"a list{count}" + (f" with items that are {_WORDS[parameter.item]}" if parameter.item else "")
    return _WORDS.get(parameter.type, "a term") + _unit(parameter)


def _unit(parameter: Parameter) -> str:
    return f" [{parameter.unit}]" if parameter.unit else ""
