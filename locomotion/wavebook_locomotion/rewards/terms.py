"""The reward terms of DHAV1's velocity tasks; a term of weight 0 is there to be given one."""

from isaaclab.managers import RewardTermCfg, SceneEntityCfg
from isaaclab.utils import configclass
from isaaclab_tasks.core.velocity import mdp
from isaaclab_tasks.core.velocity.velocity_env_cfg import RewardsCfg

from wavebook_locomotion.rewards import energy, feet, gait, standing, symmetry

STANDING_HEIGHT = 0.31
"""Height of the base above the ground in the standing pose [m]."""

DIAGONAL = ("FL", "RR", "FR", "RL")
"""Legs, the two of a diagonal pair behind each other."""

_COMMAND = "base_velocity"


def _feet_in_contact(**choice: object) -> SceneEntityCfg:
    return SceneEntityCfg("contact_forces", **({"body_names": ".*_foot"} | choice))


@configclass
class Dhav1RewardsCfg(RewardsCfg):
    """Isaac Lab's terms, the height of the base, and what the open references for robots of this size add."""

    base_height_l2 = RewardTermCfg(
        func=mdp.base_height_l2,
        weight=-10.0,
        params={"target_height": STANDING_HEIGHT, "sensor_cfg": SceneEntityCfg("height_scanner")},
    )
    feet_gait = RewardTermCfg(
        func=gait.feet_gait,
        weight=0.0,
        params={
            "command_name": _COMMAND,
            "sensor_cfg": _feet_in_contact(body_names=[f"{leg}_foot" for leg in DIAGONAL], preserve_order=True),
            "sigma": 0.1,
            "max_error": 0.2,
        },
    )
    feet_air_time_variance = RewardTermCfg(
        func=mdp.feet_air_time_variance,
        weight=0.0,
        params={"command_name": _COMMAND, "sensor_cfg": _feet_in_contact(), "max_time": 0.5},
    )
    feet_height_body = RewardTermCfg(
        func=feet.feet_height_body,
        weight=0.0,
        params={
            "command_name": _COMMAND,
            "asset_cfg": SceneEntityCfg("robot", body_names=".*_foot"),
            # A decimetre above where the feet are when the robot stands.
            "target_height": -0.19,
            "tanh_mult": 2.0,
        },
    )
    feet_slide = RewardTermCfg(
        func=mdp.feet_slide,
        weight=0.0,
        params={"sensor_cfg": _feet_in_contact(), "asset_cfg": SceneEntityCfg("robot", body_names=".*_foot")},
    )
    contact_forces = RewardTermCfg(
        func=mdp.contact_forces, weight=0.0, params={"sensor_cfg": _feet_in_contact(), "threshold": 100.0}
    )
    joint_mirror = RewardTermCfg(
        func=symmetry.joint_mirror,
        weight=0.0,
        params={
            "asset_cfg": SceneEntityCfg(
                "robot",
                joint_names=[f"{leg}_{part}_joint" for leg in DIAGONAL for part in ("hip", "thigh", "knee")],
                preserve_order=True,
            )
        },
    )
    joint_power = RewardTermCfg(func=energy.joint_power, weight=0.0)
    stand_still = RewardTermCfg(
        func=standing.stand_still, weight=0.0, params={"command_name": _COMMAND, "command_threshold": 0.1}
    )
    hip_deviation = RewardTermCfg(
        func=mdp.joint_deviation_l1,
        weight=0.0,
        params={"asset_cfg": SceneEntityCfg("robot", joint_names=".*_hip_joint")},
    )
