"""Which parameters differ between experiments: the only ones worth a column."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from wavebook_tools.comparison.data import Experiment
from wavebook_tools.errors import WavebookError
from wavebook_tools.tasks import load_tasks

NO_CODE = "none"
UNKNOWN_DEFAULT = "default"
"""Stands for a value that no override sets and no task plug-in here declares."""


def differing(experiments: Sequence[Experiment]) -> dict[str, list[Any]]:
    """Parameters that are not the same in all experiments, each with its value in every one.

    What an experiment does not override has the task's default.
    """
    values: dict[str, list[Any]] = {}
    for position, name in enumerate(("task", "num_envs", "iterations")):
        values[name] = [experiment.size[position] for experiment in experiments]
    defaults = [default_values(experiment.plan.task) for experiment in experiments]
    for name in dict.fromkeys(name for experiment in experiments for name in experiment.changes):
        values[name] = [
            experiment.changes.get(name, NO_CODE if name.startswith("code.") else default.get(name, UNKNOWN_DEFAULT))
            for experiment, default in zip(experiments, defaults, strict=True)
        ]
    return {name: row for name, row in values.items() if len({_key(value) for value in row}) > 1}


def default_values(task: str) -> Mapping[str, Any]:
    """A task's defaults by dotted name; empty where its plug-in is not installed here."""
    try:
        schema = load_tasks().get(task)
    except WavebookError:
        return {}
    return {name: parameter.default for name, parameter in schema.parameters.items()} if schema else {}


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each dotted name by as few of its last parts as tell it from the others, at least two where it has them."""
    short = {}
    for name in names:
        parts = name.split(".")
        for count in range(min(2, len(parts)), len(parts) + 1):
            tail = ".".join(parts[-count:])
            if sum(other == tail or other.endswith(f".{tail}") for other in names) == 1:
                break
        short[name] = tail
    return short


def _key(value: Any) -> str:
    # 1 and 1.0 are one value of a float parameter; a list is compared by its items.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)
