"""What the motors spend."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.managers import SceneEntityCfg


def joint_power(
    env: Any,
    asset_cfg: SceneEntityCfg = SceneEntityCfg("robot"),  # noqa: B008 - Isaac Lab copies it for each term
) -> torch.Tensor:
    """Penalise mechanical power [W]: the sum over joints of ``|qd tau|``, braking counted like driving.

    Source: ``joint_power`` of robot_lab (fan-ziqi) and of DeepRobotics' rl_training.

    Args:
        env: The environment.
        asset_cfg: The robot and its joints.

    Returns:
        Shape ``[num_envs]``.
    """
    asset = env.scene[asset_cfg.name]
    speed = asset.data.joint_vel.torch[:, asset_cfg.joint_ids]
    torque = asset.actuators.applied_effort.torch[:, asset_cfg.joint_ids]
    return torch.sum(torch.abs(speed * torque), dim=1)
