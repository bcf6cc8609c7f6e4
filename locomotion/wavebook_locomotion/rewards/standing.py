"""Standing where nothing is commanded."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.managers import SceneEntityCfg


def stand_still(
    env: Any,
    command_name: str,
    command_threshold: float = 0.1,
    asset_cfg: SceneEntityCfg = SceneEntityCfg("robot"),  # noqa: B008 - Isaac Lab copies it for each term
) -> torch.Tensor:
    """Penalise joints away from the standing pose where nothing is commanded [rad].

    The sum over joints of ``|q - q0|`` where the norm of the whole command is below its threshold, else 0. Isaac Lab's
    ``stand_still_joint_deviation_l1`` looks at the planar command alone and so punishes turning on the spot.

    Source: ``stand_still`` of robot_lab (fan-ziqi) and of DeepRobotics' rl_training.

    Args:
        env: The environment.
        command_name: The velocity command.
        command_threshold: Norm of the command (m/s and rad/s together) below which the robot should stand.
        asset_cfg: The robot and its joints.

    Returns:
        Shape ``[num_envs]``.
    """
    data = env.scene[asset_cfg.name].data
    joints = asset_cfg.joint_ids
    deviation = torch.abs(data.joint_pos.torch[:, joints] - data.default_joint_pos.torch[:, joints]).sum(dim=1)
    command = torch.linalg.norm(env.command_manager.get_command(command_name), dim=1)
    return deviation * (command < command_threshold)
