"""Sets of reward weights by name. A preset gives every term a weight; terms that it does not name get none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wavebook_locomotion.errors import check_choice

OWN = "own"
"""The weights that stand in the task itself."""

REWARDED = ("track_lin_vel_xy_exp", "track_ang_vel_z_exp", "feet_air_time", "feet_gait")
"""Terms that are rewards; the others are penalties, with weights of zero and below."""


@dataclass(frozen=True)
class Preset:
    """Weights by term, and parameters of terms that differ from the task's."""

    about: str
    weights: dict[str, float]
    params: dict[str, dict[str, float]] = field(default_factory=dict)


_STOCK = {
    "track_lin_vel_xy_exp": 1.5,
    "track_ang_vel_z_exp": 0.75,
    "lin_vel_z_l2": -2.0,
    "ang_vel_xy_l2": -0.05,
    "dof_torques_l2": -2.0e-4,
    "dof_acc_l2": -2.5e-7,
    "action_rate_l2": -0.005,
    "feet_air_time": 0.01,
    "base_height_l2": -30.0,
}

_FOUR_PORTS = {
    "feet_gait": 0.5,
    "feet_air_time_variance": -8.0,
    "feet_height_body": -2.5,
    "joint_mirror": -0.05,
}

PRESETS: dict[str, Preset] = {
    "stock": Preset("Isaac Lab 3.0.0's weights for Go2 on rough ground.", _STOCK),
    "lite3": Preset(
        "DeepRobotics' weights for Lite3 (rl_training). Heights below the base are raised by 4 cm, because this robot"
        " stands 0.31 m high and theirs 0.35 m.",
        {
            **_FOUR_PORTS,
            "track_lin_vel_xy_exp": 3.0,
            "track_ang_vel_z_exp": 1.5,
            "lin_vel_z_l2": -2.0,
            "ang_vel_xy_l2": -0.05,
            "action_rate_l2": -0.02,
            "dof_acc_l2": -1.0e-8,
            "joint_power": -2.0e-5,
            "stand_still": -0.5,
            "feet_slide": -0.05,
            "contact_forces": -0.1,
            "base_height_l2": -10.0,
            "flat_orientation_l2": -5.0,
            "hip_deviation": -0.5,
            "undesired_contacts": -0.5,
            "dof_pos_limits": -5.0,
        },
        {"feet_gait": {"sigma": 0.5**0.5}, "feet_height_body": {"target_height": -0.31}},
    ),
    "paper": Preset(
        "Our reading of arXiv 2603.27416, which names neither terms nor weights: Isaac Lab's weights, the four terms"
        " that its references have and Isaac Lab's task has not, and the tracking weight 8 told of its late waves.",
        {**_STOCK, **_FOUR_PORTS, "track_lin_vel_xy_exp": 8.0, "track_ang_vel_z_exp": 4.0},
        {"feet_gait": {"sigma": 0.5**0.5}, "feet_height_body": {"target_height": -0.31}},
    ),
    "best": Preset(
        "Where we would start: the task's own weights, an even gait with feet that neither slide nor drag, and a calm"
        " stand. The penalties together stay well below what tracking pays.",
        {
            "track_lin_vel_xy_exp": 3.0,
            "track_ang_vel_z_exp": 1.5,
            "lin_vel_z_l2": -2.0,
            "ang_vel_xy_l2": -0.05,
            "dof_torques_l2": -2.0e-4,
            "dof_acc_l2": -2.5e-7,
            "action_rate_l2": -0.01,
            "feet_air_time": 0.1,
            "feet_air_time_variance": -1.0,
            "feet_height_body": -1.0,
            "feet_slide": -0.1,
            "stand_still": -0.2,
            "undesired_contacts": -1.0,
            "dof_pos_limits": -1.0,
            "base_height_l2": -10.0,
        },
    ),
}


def names() -> list[str]:
    """What a reward preset can be called."""
    return [OWN, *PRESETS]


def choose(rewards: Any, name: str) -> None:
    """Give the terms of a task's ``rewards`` the weights of a preset; ``own`` leaves them as they are.

    Raises:
        ConfigurationError: There is no such preset; the message names the nearest.
    """
    if name == OWN:
        return
    check_choice("reward preset", name, names())
    preset = PRESETS[name]
    for term_name in rewards.__dataclass_fields__:
        term = getattr(rewards, term_name)
        if term is not None:
            term.weight = preset.weights.get(term_name, 0.0)
            term.params.update(preset.params.get(term_name, {}))


def drop_unused(rewards: Any) -> None:
    """Remove the terms of weight 0: they would be listed and logged, and say nothing."""
    for name in rewards.__dataclass_fields__:
        term = getattr(rewards, name)
        if term is not None and term.weight == 0.0:
            setattr(rewards, name, None)
