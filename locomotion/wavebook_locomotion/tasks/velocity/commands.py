"""Velocity commands that also ask for turning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from isaaclab.envs.mdp import UniformVelocityCommand, UniformVelocityCommandCfg
from isaaclab.utils import configclass


class TurningVelocityCommand(UniformVelocityCommand):
    """Isaac Lab's uniform command; some robots are told to turn on the spot.

    Under a heading command the yaw rate follows from the heading's error and fades as the robot turns, and a planar
    velocity near zero is hardly ever drawn: a policy that never turns on the spot loses next to nothing by that.
    Trained so, it stood still when commanded to turn left by 1 rad/s.
    """

    cfg: TurningVelocityCommandCfg

    def __init__(self, cfg: TurningVelocityCommandCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self.is_turning_env = torch.zeros(self.num_envs, dtype=torch.bool, device=self.device)
        """Robots that are to turn on the spot, shape ``[num_envs]``."""

    @property
    def asks_to_go_straight(self) -> torch.Tensor:
        """Robots whose yaw rate holds a heading, so that they get somewhere, shape ``[num_envs]``."""
        if not self.cfg.heading_command:
            return torch.zeros_like(self.is_turning_env)
        return self.is_heading_env & ~self.is_standing_env

    def _resample_command(self, env_ids: Sequence[int]) -> None:
        super()._resample_command(env_ids)
        drawn = torch.rand(self.vel_command_b[env_ids].shape[0], device=self.device)
        turning = drawn < self.cfg.rel_turning_envs
        self.is_turning_env[env_ids] = turning
        self.vel_command_b[env_ids, :2] *= ~turning.unsqueeze(1)
        self.is_heading_env[env_ids] &= ~turning


@configclass
class TurningVelocityCommandCfg(UniformVelocityCommandCfg):
    """Configuration of `TurningVelocityCommand`."""

    class_type: type[TurningVelocityCommand] | str = TurningVelocityCommand

    rel_turning_envs: float = 0.0
    """Fraction of the robots that are to turn on the spot, at a yaw rate drawn from its range."""
