"""Reward terms that stand in a run's own notebook: plain functions, added beside the task's terms."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from wavebook_locomotion.errors import ConfigurationError


@dataclass(frozen=True)
class CodeTerm:
    """A reward term given as a function."""

    function: Callable[..., Any]
    """``(env, ...) -> Tensor[num_envs]``; the term is called as the function is."""
    weight: float
    """What it is multiplied by, beside the step time."""
    params: dict[str, Any] = field(default_factory=dict)
    """The function's further arguments. ``{"entity": "robot", "joint_names": ...}`` is a part of the scene."""

    @property
    def name(self) -> str:
        """The term's name in the configuration and in the curves."""
        return self.function.__name__

    @property
    def cell(self) -> str:
        """The whole cell that defines the term, for the other processes of a training over several devices."""
        return "".join(linecache.getlines(self.function.__code__.co_filename))


def add(rewards: Any, terms: Sequence[CodeTerm]) -> None:
    """Put terms beside those of a task's ``rewards``.

    Raises:
        ConfigurationError: The task has a term of that name, or the same name stands twice.
    """
    from isaaclab.managers import RewardTermCfg

    for term in terms:
        if hasattr(rewards, term.name):
            raise ConfigurationError(f"the rewards have a term {term.name!r} already; call yours differently")
        params = {name: _resolved(value) for name, value in term.params.items()}
        setattr(rewards, term.name, RewardTermCfg(func=term.function, weight=float(term.weight), params=params))


def of_cells(cells: Sequence[str]) -> list[CodeTerm]:
    """The terms that cells of the run's notebook define, executed in this process, which is one of the run's own."""
    found: list[CodeTerm] = []
    for cell in cells:
        namespace: dict[str, Any] = {"code": found, "__name__": "wavebook_code"}
        exec(compile(cell, "<code override>", "exec"), namespace)
    return found


def _resolved(value: Any) -> Any:
    from isaaclab.managers import SceneEntityCfg

    if not isinstance(value, dict) or "entity" not in value:
        return value
    return SceneEntityCfg(value["entity"], **{name: item for name, item in value.items() if name != "entity"})
