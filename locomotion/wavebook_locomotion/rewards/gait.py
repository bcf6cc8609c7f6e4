"""Which feet move together."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.managers import SceneEntityCfg


def feet_gait(
    env: Any,
    command_name: str,
    sensor_cfg: SceneEntityCfg,
    sigma: float,
    max_error: float,
    command_threshold: float = 0.1,
    speed_threshold: float = 0.5,
    asset_cfg: SceneEntityCfg = SceneEntityCfg("robot"),  # noqa: B008 - Isaac Lab copies it for each term
) -> torch.Tensor:
    """Reward a trot: the feet of a diagonal pair in step, the two pairs in turns; without unit, from 0 to 1.

    With the time in the air ``a`` and on the ground ``s`` of each foot so far [s], ``d(x, y) = min((x - y)^2, m^2)``::

        sync(i, j)  = exp(-(d(a_i, a_j) + d(s_i, s_j)) / sigma)
        async(i, j) = exp(-(d(a_i, s_j) + d(s_i, a_j)) / sigma)
        reward = sync(0, 1) sync(2, 3) async(0, 2) async(1, 3) async(0, 3) async(1, 2)

    where the command's norm or the planar speed is above its threshold, else 0. With Lite3's ``sigma = sqrt(0.5)`` it
    only moves between 0.51 and 1, with Spot's 0.1 nearly down to 0.

    Source: ``GaitReward`` of robot_lab (fan-ziqi) and of DeepRobotics' rl_training, after Isaac Lab's task for Spot.

    Args:
        env: The environment.
        command_name: The velocity command.
        sensor_cfg: Contact sensor with four feet, the two of a diagonal pair behind each other: preserve the order.
        sigma: Width of the kernel [s^2].
        max_error: ``m``, the largest difference that counts [s].
        command_threshold: Norm of the command (m/s and rad/s together) above which the robot should walk.
        speed_threshold: Planar speed above which it walks whatever is commanded [m/s].
        asset_cfg: The robot.

    Returns:
        Shape ``[num_envs]``.
    """
    contacts = env.scene.sensors[sensor_cfg.name].data
    air = contacts.current_air_time.torch[:, sensor_cfg.body_ids]
    ground = contacts.current_contact_time.torch[:, sensor_cfg.body_ids]

    def difference(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return torch.square(first - second).clamp(max=max_error**2)

    # Slices: a list of columns would be uploaded at each call, for which the processor waits for the device.
    together = difference(air[:, 0::2], air[:, 1::2]) + difference(ground[:, 0::2], ground[:, 1::2])
    opposite = ((air[:, 2:], ground[:, 2:]), (air[:, 2:].flip(1), ground[:, 2:].flip(1)))
    turns = torch.cat([difference(air[:, :2], s) + difference(ground[:, :2], a) for a, s in opposite], dim=1)
    reward = torch.exp(-(together.sum(dim=1) + turns.sum(dim=1)) / sigma)
    command = torch.linalg.norm(env.command_manager.get_command(command_name), dim=1)
    speed = torch.linalg.norm(env.scene[asset_cfg.name].data.root_lin_vel_b.torch[:, :2], dim=1)
    return reward * ((command > command_threshold) | (speed > speed_threshold))
