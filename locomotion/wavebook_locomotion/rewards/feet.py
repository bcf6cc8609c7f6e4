"""Where the feet are."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.managers import SceneEntityCfg
from isaaclab.utils.math import quat_apply_inverse


def feet_height_body(
    env: Any,
    command_name: str,
    asset_cfg: SceneEntityCfg,
    target_height: float,
    tanh_mult: float = 2.0,
    command_threshold: float = 0.1,
) -> torch.Tensor:
    """Penalise feet that swing at another height below the base than wanted [m^2]::

        sum over feet of (z_i - h)^2 tanh(k |v_i|)

    with the foot's height ``z_i`` [m] and planar speed ``|v_i|`` [m/s] seen from the base, in its frame, where the norm
    of the command is above its threshold, else 0. Seen from the base a height means the same on slopes and stairs.

    Source: ``feet_height_body`` of robot_lab (fan-ziqi) and of DeepRobotics' rl_training.

    Args:
        env: The environment.
        command_name: The velocity command.
        asset_cfg: The robot with its feet as bodies.
        target_height: ``h``, in the base's frame, so negative [m].
        tanh_mult: ``k`` [s/m].
        command_threshold: Norm of the command (m/s and rad/s together) from which feet should swing.

    Returns:
        Shape ``[num_envs]``.
    """
    data = env.scene[asset_cfg.name].data
    position = data.body_pos_w.torch[:, asset_cfg.body_ids] - data.root_pos_w.torch.unsqueeze(1)
    velocity = data.body_lin_vel_w.torch[:, asset_cfg.body_ids] - data.root_lin_vel_w.torch.unsqueeze(1)
    turned = data.root_quat_w.torch.unsqueeze(1).expand(-1, position.shape[1], -1)
    height = quat_apply_inverse(turned, position)[..., 2]
    speed = torch.linalg.norm(quat_apply_inverse(turned, velocity)[..., :2], dim=-1)
    penalty = torch.sum(torch.square(height - target_height) * torch.tanh(tanh_mult * speed), dim=1)
    command = torch.linalg.norm(env.command_manager.get_command(command_name), dim=1)
    return penalty * (command > command_threshold)
