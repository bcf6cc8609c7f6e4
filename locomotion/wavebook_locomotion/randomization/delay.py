"""The time from a command to the motors that follow it."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.actuators import DCMotorCfg, DelayedPDActuatorCfg
from isaaclab.actuators.newton.adapter import write_group_parameter
from isaaclab.utils import configclass

GROUP = "legs"
"""The robot's group of actuators."""


@configclass
class DelayedDCMotorCfg(DelayedPDActuatorCfg, DCMotorCfg):
    """A motor whose torque falls with its speed and whose commands arrive late.

    Isaac Lab has each of the two alone. On Newton's own actuators a group is put together from what its configuration
    is an instance of, so this one gets both.
    """


def delay(robot: Any, longest: int) -> None:
    """Let the commands of a robot's motors arrive late; `random_delay` then draws by how much.

    Args:
        robot: Isaac Lab's ``ArticulationCfg``; its motors are replaced.
        longest: Longest delay in steps of the physics.
    """
    motor = robot.actuators[GROUP]
    fields = {name: getattr(motor, name) for name in motor.__dataclass_fields__ if name != "class_type"}
    robot.actuators[GROUP] = DelayedDCMotorCfg(**{**fields, "max_delay": longest})


def random_delay(env: Any, env_ids: torch.Tensor | slice | None, delay_range: tuple[int, int]) -> None:
    """Draw each robot's delay, the same for all its joints, each number of steps as likely.

    Args:
        env: Isaac Lab's environment on Newton.
        env_ids: Has no part: the term is for the start, when all robots are drawn.
        delay_range: Least and longest delay in steps of the physics, both included.
    """
    robot = env.scene["robot"]
    least, longest = delay_range
    steps = torch.randint(least, longest + 1, (env.num_envs, 1), device=env.device, dtype=torch.int32)
    write_group_parameter(robot.actuators, GROUP, "delay", "delay_steps", steps.expand(-1, robot.num_joints))
