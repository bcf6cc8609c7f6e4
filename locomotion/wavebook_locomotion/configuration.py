"""A task's configuration: Isaac Lab's two objects, with a run's overrides, size, seed, device and physics set."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wavebook_locomotion import parameters
from wavebook_locomotion.errors import ConfigurationError, did_you_mean
from wavebook_locomotion.rewards import code as reward_code
from wavebook_locomotion.rewards import presets
from wavebook_locomotion.terrains import sets

RSL_RL_VERSION = "5.5.1"
"""The rsl_rl version for which the learner's configuration is written."""

MATMUL_PRECISION = "high"
"""Precision of products of matrices while a policy is trained: TF32 on CUDA, as in Isaac Lab's own training."""


@dataclass(frozen=True)
class TaskConfig:
    """What an environment and its learner are made from."""

    task: str
    env: Any
    """Isaac Lab's ``ManagerBasedRLEnvCfg``, presets resolved."""
    agent: Any
    """Isaac Lab's ``RslRlOnPolicyRunnerCfg``."""
    overrides: dict[str, Any]
    seed: int
    device: str
    physics: str
    code: tuple[reward_code.CodeTerm, ...] = ()
    """Reward terms that the experiment brought along. They train; the evaluation knows nothing of them."""

    @property
    def num_envs(self) -> int:
        """Parallel environments."""
        return int(self.env.scene.num_envs)

    @property
    def rough(self) -> bool:
        """Whether the ground is generated, with levels of difficulty."""
        return self.env.scene.terrain.terrain_generator is not None


def task_names() -> list[str]:
    """The registered tasks of this package."""
    from wavebook_locomotion.tasks import velocity

    return [velocity.FLAT, velocity.ROUGH, velocity.QUICK, velocity.HIM_FLAT, velocity.HIM_ROUGH]


def load(
    task: str,
    overrides: Mapping[str, Any] | None = None,
    *,
    num_envs: int,
    seed: int,
    device: str = "cpu",
    physics: str = "newton_mjwarp",
    code: Sequence[reward_code.CodeTerm] = (),
) -> TaskConfig:
    """The configuration of ``task`` with dotted ``overrides`` set.

    Args:
        task: A registered task.
        overrides: Dotted names (``env.…``, ``agent.…``) and values; null removes a whole term.
        num_envs: Parallel environments.
        seed: Seeds the environment and the learner.
        device: ``cpu``, ``cuda`` or ``cuda:N``, for simulation and learning alike.
        physics: Name of a physics preset of the task.
        code: Reward terms that stand in the run's own notebook.

    Raises:
        ConfigurationError: An unknown task, preset or parameter, a term whose name is taken, or a value that does not
            fit; the message names the nearest valid choice.
    """
    if num_envs < 1:
        raise ConfigurationError(f"num_envs must be at least 1, not {num_envs}")
    env, agent = defaults(task, physics)
    parameters.apply(env, agent, dict(overrides or {}))
    reward_code.add(env.rewards, code)
    presets.drop_unused(env.rewards)
    if env.scene.terrain.terrain_generator is not None:
        sets.drop_unused(env.scene.terrain.terrain_generator.sub_terrains)
    env.scene.num_envs = num_envs
    env.seed = agent.seed = seed
    env.sim.device = agent.device = device
    return TaskConfig(task, env, agent, dict(overrides or {}), seed, device, physics, tuple(code))


def defaults(task: str, physics: str = "newton_mjwarp") -> tuple[Any, Any]:
    """The two objects of ``task`` as it stands, with every term and sub-terrain that could be chosen.

    Raises:
        ConfigurationError: An unknown task or preset; the message names the nearest valid choice.
    """
    if task not in task_names():
        raise ConfigurationError(f"there is no task {task!r}.{did_you_mean(task, task_names())}")

    from isaaclab_tasks.utils import load_cfg_from_registry, resolve_presets

    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it reads from
        env = load_cfg_from_registry(task, "env_cfg_entry_point")
        agent = load_cfg_from_registry(task, "rsl_rl_cfg_entry_point")
    engines = [name for name in env.sim.physics.__dataclass_fields__ if name != "default"]
    if physics not in engines:
        raise ConfigurationError(
            f"the task has no physics preset {physics!r}; it has {', '.join(engines)}.{did_you_mean(physics, engines)}"
        )
    return resolve_presets(env, {physics}), agent
