"""The friction between each robot and its ground."""

from __future__ import annotations

from typing import Any

import torch
import warp as wp
from newton import ModelFlags


def set_friction(env: Any, friction: torch.Tensor) -> None:
    """Give each robot's contacts a coefficient of friction.

    The solver takes the larger coefficient of two bodies that touch (MuJoCo's rule), so a robot's alone would not
    count below the ground's. All that is no robot therefore gets 0.

    Args:
        env: Isaac Lab's environment on Newton.
        friction: Coefficients, shape ``[num_envs]``.
    """
    manager = env.sim.physics_manager
    model = manager.get_model()
    robot = wp.to_torch(env.scene["robot"]._root_view.get_attribute("shape_material_mu", model)[:, 0])
    wp.to_torch(model.shape_material_mu).zero_()
    robot[:] = friction.to(robot)[:, None]
    manager.add_model_change(ModelFlags.SHAPE_PROPERTIES)


def random_friction(env: Any, env_ids: torch.Tensor | slice | None, friction_range: tuple[float, float]) -> None:
    """Draw each robot's coefficient of friction, uniformly.

    Isaac Lab's own term sets the robot's shapes alone, which changes nothing below the ground's coefficient.

    Args:
        env: The environment.
        env_ids: Has no part: the term is for the start, when all robots are drawn.
        friction_range: Least and largest coefficient.
    """
    low, high = friction_range
    set_friction(env, torch.empty(env.num_envs, device=env.device).uniform_(low, high))
