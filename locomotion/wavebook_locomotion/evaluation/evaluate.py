"""Carries the protocol out."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wavebook_locomotion.configuration import TaskConfig, load
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.evaluation.measures import cost_of_transport, interval
from wavebook_locomotion.evaluation.protocol import PROTOCOL, Command, Protocol, mean_and_error, spread
from wavebook_locomotion.randomization import presets as randomization

if TYPE_CHECKING:
    from wavebook_locomotion.evaluation.rollout import Rollout
    from wavebook_locomotion.replay import ReplayRecorder


def evaluate(
    config: TaskConfig,
    checkpoint: Path,
    *,
    num_envs: int,
    seconds: float,
    terrain_set: str = PROTOCOL.terrain_set,
    on_progress: Callable[[float], None] | None = None,
    recorder: ReplayRecorder | None = None,
) -> dict[str, Any]:
    """Measure how well the policy of ``checkpoint`` follows the protocol's commands.

    Of the run's overrides only those count that make the policy what it is (its observations, its actions, its
    network): commands, terrains, starts and endings are the protocol's.

    Args:
        config: The run's configuration.
        checkpoint: Written by `wavebook_locomotion.training.train`.
        num_envs: Robots; fewer than the protocol has commands means several rollouts.
        seconds: Length of a rollout [s].
        terrain_set: The ground, part of the protocol's identity; of no effect for a task without generated ground.
        on_progress: Called after each step with the share of all steps that is done, from 0 to 1.
        recorder: Keeps the motion of some robots for a replay; changes nothing of what is measured.

    Returns:
        What result.json holds, but for what the training measured: ``protocol``, ``error_vel_xy`` [m/s] and
        ``error_vel_yaw`` [rad/s] with their ``_standard_error`` and ``_interval``, which holds the true mean 95 times
        of a hundred (None where they cannot be told), ``time_out``, ``cost_of_transport``, ``torque_use``,
        ``torque_saturated``, ``joint_limit_use``, ``per_command``, ``robustness`` (the same of disturbed robots, with
        its own ``protocol``), ``num_envs``, ``seconds``, ``seed``, ``device``; on rough ground ``terrain_level`` and
        ``per_terrain``. ``error_vel_xy_legacy`` is the value that Isaac Lab 2 would have logged, twice the true mean.

    Raises:
        ConfigurationError: The checkpoint is not there, the rollout is too short, or there is no such ground.
    """
    protocol = PROTOCOL.on(terrain_set) if config.rough else PROTOCOL
    if not checkpoint.is_file():
        raise ConfigurationError(f"there is no checkpoint {checkpoint}")
    if seconds <= protocol.settle_seconds:
        raise ConfigurationError(
            f"an evaluation of {seconds:g} s is too short: the first {protocol.settle_seconds:g} s do not count"
        )
    if num_envs < 1:
        raise ConfigurationError(f"num_envs must be at least 1, not {num_envs}")

    from wavebook_locomotion.evaluation.disturbances import DISTURBANCES
    from wavebook_locomotion.evaluation.rollout import Evaluator
    from wavebook_locomotion.simulation import open_environment

    fixed = fixed_configuration(config, num_envs, protocol)
    asked = commands_within(fixed, protocol)
    with open_environment(fixed) as env:
        rollouts = math.ceil(len(asked) / num_envs)
        steps = (2 * rollouts + fixed.rough) * math.ceil(seconds / env.step_dt)
        tell = on_progress or (lambda share: None)
        evaluator = Evaluator(env, fixed, checkpoint, protocol, lambda done: tell(done / steps), recorder)
        commands = spread(rollouts * num_envs, len(asked), protocol.seed).reshape(rollouts, num_envs)
        tracked = [
            evaluator.track([asked[number] for number in row], seconds, seed=protocol.seed + index)
            for index, row in enumerate(commands)
        ]
        climbed = evaluator.climb(seconds, seed=protocol.seed + rollouts) if fixed.rough else None
        # Last, because loads and friction stay.
        disturbed = [
            evaluator.track(
                [asked[number] for number in row], seconds, seed=protocol.seed + index, disturbances=DISTURBANCES
            )
            for index, row in enumerate(commands)
        ]
        terrains = evaluator.terrains

    groups = commands.reshape(-1)
    nominal = join(tracked)
    planar, yaw, survived = nominal.error_xy, nominal.error_yaw, nominal.survived
    result: dict[str, Any] = {
        "protocol": protocol.describe(),
        **summary(nominal, groups),
        "per_command": {
            command.name: {
                "error_vel_xy": float(planar[groups == index].mean()),
                "error_vel_yaw": float(yaw[groups == index].mean()),
                "time_out": float(survived[groups == index].mean()),
                "robots": int((groups == index).sum()),
            }
            for index, command in enumerate(asked)
        },
        "robustness": {"protocol": DISTURBANCES.describe(), **summary(join(disturbed), groups)},
        "num_envs": num_envs,
        "seconds": seconds,
        "seed": config.seed,
        "device": config.device,
    }
    if climbed is not None:
        per_terrain = by_terrain(nominal, climbed, terrains, protocol.levels)
        result["terrain_level"] = float(np.mean([terrain["level"] for terrain in per_terrain.values()]))
        result["per_terrain"] = per_terrain
    return result


def by_terrain(
    tracked: Rollout, climbed: Rollout, terrains: Sequence[str], levels: int
) -> dict[str, dict[str, float | None]]:
    """What was measured on each sub-terrain that robots climbed.

    Args:
        tracked: The rollout of all commands.
        climbed: The rollout straight on, each terrain's robots spread evenly over its levels.
        terrains: Names of the sub-terrains, in the order of the columns.
        levels: Number of levels. Where a share of the robots cleared theirs, that share of the levels is cleared.
    """
    found: dict[str, dict[str, float | None]] = {}
    for index, name in enumerate(terrains):
        here, there = climbed.columns == index, tracked.columns == index
        if here.any():
            found[name] = {
                "level": levels * float(climbed.cleared[here].mean()),
                "error_vel_xy": float(tracked.error_xy[there].mean()) if there.any() else None,
                "time_out": float(tracked.survived[there].mean()) if there.any() else None,
            }
    return found


def join(rollouts: Sequence[Rollout]) -> Rollout:
    """Several rollouts as one, their robots behind each other."""
    names = rollouts[0].__dataclass_fields__
    return type(rollouts[0])(**{name: np.concatenate([getattr(r, name) for r in rollouts]) for name in names})


def summary(rollout: Rollout, groups: np.ndarray) -> dict[str, Any]:
    """The numbers of a rollout, each command counting the same in the means.

    Args:
        rollout: What was measured of each robot.
        groups: The command of each, shape ``[N]``.
    """
    error_xy, spread_xy = mean_and_error(rollout.error_xy, groups)
    error_yaw, spread_yaw = mean_and_error(rollout.error_yaw, groups)
    freedom = len(groups) - len(np.unique(groups))
    # A robot that fell has stopped to work and to get on.
    stood = rollout.survived
    work, progress, asked = (np.where(stood, value, 0.0) for value in (rollout.work, rollout.progress, rollout.asked))
    return {
        "error_vel_xy": error_xy,
        "error_vel_xy_standard_error": spread_xy,
        "error_vel_xy_interval": interval(error_xy, spread_xy, freedom),
        "error_vel_xy_legacy": 2.0 * error_xy,
        "error_vel_yaw": error_yaw,
        "error_vel_yaw_standard_error": spread_yaw,
        "error_vel_yaw_interval": interval(error_yaw, spread_yaw, freedom),
        "time_out": float(rollout.survived.mean()),
        "cost_of_transport": cost_of_transport(work, progress, asked, rollout.mass, groups),
        "torque_use": mean_and_error(rollout.torque_use, groups)[0],
        "torque_saturated": mean_and_error(rollout.torque_saturated, groups)[0],
        "joint_limit_use": mean_and_error(rollout.joint_limit_use, groups)[0],
    }


def commands_within(fixed: TaskConfig, protocol: Protocol) -> list[Command]:
    """The protocol's commands that lie within the ranges from which the task itself draws."""
    ranges = fixed.env.commands.base_velocity.ranges

    def holds(limits: tuple[float, float], value: float) -> bool:
        return limits[0] <= value <= limits[1]

    return [
        command
        for command in protocol.commands
        if holds(ranges.lin_vel_x, command.x)
        and holds(ranges.lin_vel_y, command.y)
        and holds(ranges.ang_vel_z, command.yaw)
    ]


def fixed_configuration(config: TaskConfig, num_envs: int, protocol: Protocol) -> TaskConfig:
    """The task as the protocol wants it, with only those of the run's overrides that belong to the policy."""
    own = {
        name: value
        for name, value in config.overrides.items()
        if name.startswith(("env.observations.", "env.observation_set", "env.actions.", "agent."))
        and name != "env.observations.policy.enable_corruption"
    }
    if config.rough:
        own["env.terrain_set"] = protocol.terrain_set
    fixed = load(config.task, own, num_envs=num_envs, seed=protocol.seed, device=config.device, physics=config.physics)
    env = fixed.env
    # The rate at which a policy acts is its own; the physics below it is the protocol's.
    env.decimation = max(1, round(config.env.decimation * config.env.sim.dt / env.sim.dt))
    env.observations.policy.enable_corruption = False
    env.episode_length_s = 1.0e6  # a rollout's length is counted here
    env.commands.base_velocity.heading_command = False
    env.commands.base_velocity.ranges.heading = None
    env.commands.base_velocity.rel_standing_envs = 0.0
    env.commands.base_velocity.resampling_time_range = (1.0e6, 1.0e6)
    randomization.nominal(env.events)
    around, speed = protocol.start_position, protocol.start_speed
    env.events.reset_base.params["pose_range"] = {
        "x": (-around, around),
        "y": (-around, around),
        "yaw": (-math.pi, math.pi),
    }
    axes = ("x", "y", "z", "roll", "pitch", "yaw")
    env.events.reset_base.params["velocity_range"] = {axis: (-speed, speed) for axis in axes}
    env.events.reset_robot_joints.params["position_range"] = protocol.start_joints
    env.curriculum = copy.copy(env.curriculum)
    for name in list(env.curriculum.__dataclass_fields__):
        setattr(env.curriculum, name, None)
    generator = env.scene.terrain.terrain_generator
    if generator is not None:
        # One column for each sub-terrain, one row for each level.
        generator.curriculum = True
        generator.seed = protocol.terrain_seed
        generator.num_rows = protocol.levels
        generator.num_cols = len(generator.sub_terrains)
        for sub_terrain in generator.sub_terrains.values():
            sub_terrain.proportion = 1.0 / len(generator.sub_terrains)
        env.scene.terrain.max_init_terrain_level = None
    return fixed
