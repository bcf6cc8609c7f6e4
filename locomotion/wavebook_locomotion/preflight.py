"""Tries reward terms given as code on two environments for a few steps, before they may take a GPU."""

from __future__ import annotations

import copy
import functools
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from wavebook_locomotion.configuration import TaskConfig
from wavebook_locomotion.rewards.code import CodeTerm

ENVIRONMENTS = 2
STEPS = 8

LONGEST_CALL = 10.0
"""Time that one call of a term may take on two environments [s]; a sound one takes a millisecond."""


class PreflightError(ValueError):
    """A term that cannot train: the message says which, at which step, and what is wrong with it."""


@dataclass
class TermOutcome:
    """What one term did in the preflight."""

    term: str
    calls: int = 0
    lowest: float = float("inf")
    highest: float = float("-inf")
    """Extremes of what the function returned, before weight and step time."""
    seconds: float = 0.0
    """Time of all calls [s]."""


def preflight(config: TaskConfig, steps: int = STEPS) -> list[dict[str, Any]]:
    """Step the environment of ``config`` with random actions and look at what its code terms do.

    Args:
        config: Loaded with ``ENVIRONMENTS`` environments, on the CPU.
        steps: Environment steps.

    Returns:
        A row for each term: ``term``, ``calls``, ``lowest``, ``highest``, ``milliseconds`` a call.

    Raises:
        PreflightError: A term raises, takes longer than ten seconds, returns other than a finite tensor of shape
            ``[num_envs]`` on the environment's device, or changes what the simulator holds.
    """
    import torch

    from wavebook_locomotion.simulation import open_environment

    outcomes = {term.name: TermOutcome(term.name) for term in config.code}
    rewards = copy.copy(config.env.rewards)
    for term in config.code:
        setattr(rewards, term.name, replace_function(getattr(rewards, term.name), term, outcomes[term.name]))
    env_config = copy.copy(config.env)
    env_config.rewards = rewards
    with open_environment(replace(config, env=env_config)) as env, torch.inference_mode():
        generator = torch.Generator().manual_seed(config.seed)
        for _ in range(steps):
            env.step(torch.randn(env.action_space.shape, generator=generator).to(env.device))
    for term in config.code:
        if not outcomes[term.name].calls and term.weight != 0.0:
            raise PreflightError(f"{term.name} was never called")
    return [
        {
            "term": outcome.term,
            "calls": outcome.calls,
            "lowest": outcome.lowest,
            "highest": outcome.highest,
            "milliseconds": 1000 * outcome.seconds / max(1, outcome.calls),
        }
        for outcome in outcomes.values()
    ]


def replace_function(term_config: Any, term: CodeTerm, outcome: TermOutcome) -> Any:
    """A term's configuration with its function watched."""
    watched = copy.copy(term_config)
    watched.func = watch(term.function, outcome)
    return watched


def watch(function: Callable[..., Any], outcome: TermOutcome) -> Callable[..., Any]:
    """The function, checked at each call."""

    @functools.wraps(function)
    def watched(env: Any, **params: Any) -> Any:
        before = _state(env)
        began = time.perf_counter()
        try:
            value = _limited(lambda: function(env, **params))
        except PreflightError as error:
            raise PreflightError(f"{outcome.term} {error}") from None
        except Exception as error:
            where = f"{type(error).__name__}: {error}"
            raise PreflightError(f"{outcome.term} failed at its call {outcome.calls + 1}: {where}") from error
        outcome.seconds += time.perf_counter() - began
        outcome.calls += 1
        _check(outcome, value, env)
        for name, old in before.items():
            if not _equal(old, _state(env)[name]):
                raise PreflightError(f"{outcome.term} changed {name}, which belongs to the simulator")
        outcome.lowest = min(outcome.lowest, float(value.min()))
        outcome.highest = max(outcome.highest, float(value.max()))
        return value

    return watched


def _check(outcome: TermOutcome, value: Any, env: Any) -> None:
    import torch

    wrong = f"{outcome.term} returned "
    if not isinstance(value, torch.Tensor):
        raise PreflightError(f"{wrong}{type(value).__name__}; return a tensor of shape [num_envs]")
    if tuple(value.shape) != (env.num_envs,):
        raise PreflightError(f"{wrong}shape {list(value.shape)}; return [num_envs], here [{env.num_envs}]")
    if value.device != torch.device(env.device):
        raise PreflightError(f"{wrong}a tensor on {value.device}; the environments are on {env.device}")
    if not torch.isfinite(value.float()).all():
        raise PreflightError(f"{wrong}a value that is not finite at its call {outcome.calls}")


def _limited(call: Callable[[], Any]) -> Any:
    """The call's result, given up after ``LONGEST_CALL``. Works in a process's main thread."""

    def late(number: int, frame: object) -> None:
        raise PreflightError(f"took longer than {LONGEST_CALL:g} s for one step of {ENVIRONMENTS} environments")

    old = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_CALL)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, old)


def _state(env: Any) -> dict[str, Any]:
    """What a term could change by mistake, copied."""
    data = env.scene["robot"].data
    held = {
        "the robots' poses": data.root_pos_w.torch,
        "the robots' velocities": data.root_lin_vel_w.torch,
        "joint positions": data.joint_pos.torch,
        "joint velocities": data.joint_vel.torch,
        "the actions": env.action_manager.action,
        "the lengths of episodes": env.episode_length_buf,
    }
    for name in env.command_manager.active_terms:
        held[f"the command {name}"] = env.command_manager.get_command(name)
    return {name: value.clone() for name, value in held.items()}


def _equal(one: Any, other: Any) -> bool:
    import torch

    return bool(torch.equal(torch.nan_to_num(one.float()), torch.nan_to_num(other.float())))
