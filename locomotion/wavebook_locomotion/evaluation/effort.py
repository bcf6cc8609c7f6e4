"""What a rollout asks of the motors and joints, summed up while it goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from wavebook_locomotion.robots.dhav1 import numbers

SATURATED = 0.99
"""From this share of its limit on a torque counts as saturated."""


class Effort:
    """Sums over the steps in which a robot still stands. They are sampled once in a step of the policy."""

    def __init__(self, env: Any, command: torch.Tensor) -> None:
        """Start at zero.

        Args:
            env: Isaac Lab's environment.
            command: Forward [m/s], left [m/s] and yaw rate [rad/s] of each robot, shape ``[num_envs, 3]``.
        """
        self._env = env
        self._robot = env.scene["robot"]
        self._asked = torch.linalg.norm(command[:, :2], dim=-1)
        self._direction = command[:, :2] / self._asked.clamp(min=1.0e-6)[:, None]
        # Motors that the physics runs itself do not tell their limits.
        parts = [name.split("_")[1] for name in self._robot.joint_names]
        self._torque_limit = command.new_tensor([numbers.DRIVES[part].torque for part in parts])
        self._sums = torch.zeros(6, env.num_envs, device=env.device)
        self._steps = torch.zeros(env.num_envs, device=env.device)

    def add(self, counted: torch.Tensor) -> None:
        """Add the step that was just done.

        Args:
            counted: The robots that count, shape ``[num_envs]``.
        """
        data, dt = self._robot.data, self._env.step_dt
        torque = self._robot.actuators.applied_effort.torch
        angle, limits = data.joint_pos.torch, data.soft_joint_pos_limits.torch
        use = torch.abs(torque) / self._torque_limit
        beyond = (angle < limits[..., 0]) | (angle > limits[..., 1])
        step = torch.stack(
            (
                torch.sum(torch.abs(torque * data.joint_vel.torch), dim=1) * dt,
                torch.sum(data.root_lin_vel_b.torch[:, :2] * self._direction, dim=1) * dt,
                self._asked * dt,
                use.mean(dim=1),
                (use >= SATURATED).float().mean(dim=1),
                beyond.float().mean(dim=1),
            )
        )
        self._sums += torch.where(counted, step, 0.0)
        self._steps += counted

    def totals(self) -> dict[str, np.ndarray]:
        """The fields of a `wavebook_locomotion.evaluation.rollout.Rollout` that it measures."""
        work, progress, asked = self._sums[:3].cpu().numpy()
        torque, saturated, beyond = (self._sums[3:] / self._steps.clamp(min=1.0)).cpu().numpy()
        mass = self._robot.data.body_mass.torch.sum(dim=1).cpu().numpy()
        return {
            "work": work,
            "progress": progress,
            "asked": asked,
            "mass": mass,
            "torque_use": torque,
            "torque_saturated": saturated,
            "joint_limit_use": beyond,
        }
