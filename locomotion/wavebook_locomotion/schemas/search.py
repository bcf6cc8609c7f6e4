"""Where a planner looks for better values: parameters, their range, and what changing each can do."""

from __future__ import annotations

from typing import Any


def _space(name: str, low: float, high: float, why: str, *, log: bool = False) -> dict[str, Any]:
    return {"name": name, "low": low, "high": high, "log": log, "why": why}


SHARED: tuple[dict[str, Any], ...] = (
    _space(
        "env.rewards.track_lin_vel_xy_exp.weight",
        0.75,
        8.0,
        "a heavier tracking term makes walking worth the penalties that it costs; too heavy, it drowns them",
        log=True,
    ),
    _space(
        "env.rewards.track_lin_vel_xy_exp.params.std",
        0.2,
        0.7,
        "a narrow kernel rewards only close tracking, a wide one shows the way from far off",
    ),
    _space(
        "env.rewards.track_ang_vel_z_exp.weight",
        0.3,
        4.0,
        "a heavier yaw term turns better, at the price of planar tracking",
        log=True,
    ),
    _space(
        "env.rewards.action_rate_l2.weight",
        -0.03,
        -0.001,
        "a strong penalty smooths the motion and can freeze it",
    ),
    _space("env.rewards.lin_vel_z_l2.weight", -4.0, -0.2, "a strong penalty keeps the base level and shortens steps"),
    _space(
        "agent.algorithm.learning_rate", 2e-4, 3e-3, "short trainings need large steps, long ones stable ones", log=True
    ),
    _space("agent.algorithm.entropy_coef", 5e-4, 2e-2, "more entropy explores longer and tracks later", log=True),
    _space("agent.algorithm.gamma", 0.97, 0.995, "a shorter horizon learns faster from fewer steps"),
    _space("agent.actor.distribution_cfg.init_std", 0.4, 1.2, "how widely the first actions try things out"),
    _space("env.rewards.feet_gait.weight", 0.0, 1.0, "rewards a trot, with the feet of a diagonal pair in step"),
    _space("env.rewards.feet_air_time_variance.weight", -8.0, 0.0, "asks all feet for steps of the same length"),
    _space(
        "env.rewards.feet_height_body.weight", -5.0, 0.0, "asks swinging feet for a height, so that they do not drag"
    ),
    _space("env.rewards.joint_mirror.weight", -0.2, 0.0, "asks diagonal legs to move alike"),
    _space("env.commands.base_velocity.rel_turning_envs", 0.0, 0.3, "how many robots practise turning on the spot"),
    _space("env.actions.joint_pos.scale", 0.15, 0.5, "how far an action moves a joint"),
)

FLAT: tuple[dict[str, Any], ...] = (
    _space("env.rewards.feet_air_time.weight", 0.05, 1.0, "rewards steps instead of shuffling", log=True),
    _space("env.rewards.flat_orientation_l2.weight", -5.0, -0.5, "keeps the base level"),
)

ROUGH: tuple[dict[str, Any], ...] = (
    _space("env.rewards.feet_air_time.weight", 0.005, 0.5, "rewards steps instead of shuffling", log=True),
    _space("env.rewards.base_height_l2.weight", -30.0, -1.0, "keeps the robot from crouching"),
    _space(
        "env.scene.terrain.terrain_generator.sub_terrains.boxes.proportion",
        0.0,
        0.3,
        "boxes are the hardest to stand on at first",
    ),
    _space(
        "env.scene.terrain.terrain_generator.sub_terrains.random_rough.proportion",
        0.1,
        0.5,
        "noise is where a robot learns to lift its feet",
    ),
)
