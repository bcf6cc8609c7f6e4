"""Levels of difficulty by what a robot did on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from isaaclab.managers import SceneEntityCfg


def terrain_levels_walked(
    env: Any,
    env_ids: Sequence[int],
    asset_cfg: SceneEntityCfg = SceneEntityCfg("robot"),  # noqa: B008 - Isaac Lab copies it for each term
) -> torch.Tensor:
    """Move robots to harder ground that walked half a sub-terrain, to easier ground that walked half their way.

    As Isaac Lab's ``terrain_levels_vel``: up beyond half the sub-terrain's size from the origin, down below half of
    commanded speed times episode length [m]. But a robot whose yaw rate was commanded as such walks in a circle and
    gets nowhere however well it follows: only those that were to hold a heading are moved down.

    Returns:
        The mean level of all robots, without dimension.
    """
    terrain = env.scene.terrain
    term = env.command_manager.get_term("base_velocity")
    position = env.scene[asset_cfg.name].data.root_pos_w.torch[env_ids, :2]
    distance = torch.linalg.norm(position - env.scene.env_origins[env_ids, :2], dim=1)
    up = distance > terrain.cfg.terrain_generator.size[0] / 2
    commanded = torch.linalg.norm(term.command[env_ids, :2], dim=1) * env.max_episode_length_s
    down = (distance < 0.5 * commanded) & ~up & term.asks_to_go_straight[env_ids]
    terrain.update_env_origins(env_ids, up, down)
    return torch.mean(terrain.terrain_levels.float())
