"""Legs that move alike."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.managers import SceneEntityCfg


def joint_mirror(env: Any, asset_cfg: SceneEntityCfg) -> torch.Tensor:
    """Penalise legs of a diagonal pair whose joints stand at different angles [rad^2]::

        mean over pairs (a, b) of sum over joints of (q_a - q_b)^2

    Source: ``joint_mirror`` of robot_lab (fan-ziqi) and of DeepRobotics' rl_training.

    Args:
        env: The environment.
        asset_cfg: The robot with the joints of four legs, leg by leg, the two of a diagonal pair behind each other:
            preserve the order.

    Returns:
        Shape ``[num_envs]``.
    """
    angles = env.scene[asset_cfg.name].data.joint_pos.torch[:, asset_cfg.joint_ids]
    pairs = angles.unflatten(1, (2, 2, -1))
    return torch.square(pairs[:, :, 0] - pairs[:, :, 1]).sum(dim=2).mean(dim=1)
