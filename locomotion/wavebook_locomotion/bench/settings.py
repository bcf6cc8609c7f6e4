"""Settings of a benchmark beyond an experiment's parameters: any field of the configuration, and a few switches.

An experiment may override what a plan is checked against. A benchmark also compares what no experiment should change:
capacities of the solver, precision of products of matrices, the guard's records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wavebook_locomotion import configuration, mesh_search, parameters
from wavebook_locomotion.configuration import TaskConfig
from wavebook_locomotion.errors import ConfigurationError, did_you_mean

MATMUL = "torch.matmul_precision"
"""``highest`` (32 bits), ``high`` (TF32 on CUDA, as in a training) or ``medium``."""

RECORD = "guard.record"
"""Whether the guard keeps each step's state to write broken robots down; true as in a training."""

MESH_TILE = "newton.mesh_tile"
"""Threads on CUDA that search the ground's triangles below one collision shape; null for what Newton takes."""

GRAPHS = "ppo.graphs"
"""Whether PPO is given to a GPU as graphs, as in a training; false for one operation after the other."""

SWITCHES: dict[str, Any] = {
    MATMUL: configuration.MATMUL_PRECISION,
    RECORD: True,
    MESH_TILE: mesh_search.WARP,
    GRAPHS: True,
}


@dataclass(frozen=True)
class Prepared:
    """A configuration with a benchmark's settings, and its switches."""

    config: TaskConfig
    switches: dict[str, Any]


def parse(words: list[str]) -> dict[str, Any]:
    """``NAME=VALUE`` words as a mapping; a value is JSON, or a text where it is not.

    Raises:
        ConfigurationError: A word without ``=``.
    """
    found = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise ConfigurationError(f"{word!r} is no setting; write NAME=VALUE")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def prepare(
    task: str, settings: Mapping[str, Any], *, num_envs: int, device: str, iterations: int, seed: int = 0
) -> Prepared:
    """The configuration of ``task`` with ``settings``: parameters checked as a run's are, other fields set as they are.

    Raises:
        ConfigurationError: An unknown switch or field; the message names the nearest one.
    """
    known = parameters.parameters(*configuration.defaults(task))
    overrides = {name: value for name, value in settings.items() if name in known}
    config = configuration.load(task, overrides, num_envs=num_envs, seed=seed, device=device)
    switches = dict(SWITCHES)
    for name, value in settings.items():
        if name in overrides:
            continue
        if name.startswith(("env.", "agent.")):
            _assign(config, name, value)
        elif name in switches:
            switches[name] = value
        else:
            raise ConfigurationError(f"there is no setting {name!r}.{did_you_mean(name, [*switches, *known])}")
    config.agent.max_iterations = iterations
    return Prepared(config, switches)


def _assign(config: TaskConfig, name: str, value: Any) -> None:
    *path, field = name.split(".")
    owner: Any = config
    for part in path:
        owner = _child(owner, part, name)
    _child(owner, field, name)
    if isinstance(owner, dict):
        owner[field] = value
    else:
        setattr(owner, field, value)


def _child(owner: Any, part: str, name: str) -> Any:
    if isinstance(owner, dict):
        if part in owner:
            return owner[part]
    elif hasattr(owner, part):
        return getattr(owner, part)
    fields = list(owner) if isinstance(owner, dict) else list(getattr(owner, "__dataclass_fields__", ()))
    raise ConfigurationError(f"{name!r} does not exist at {part!r}.{did_you_mean(part, fields)}")
