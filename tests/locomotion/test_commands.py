"""What robots are commanded, and how their ground gets harder, in the real simulator."""

from __future__ import annotations

import pytest

pytest.importorskip("isaaclab")

import torch

from wavebook_locomotion import configuration
from wavebook_locomotion.simulation import open_environment

pytestmark = pytest.mark.sim

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"


def test_a_tenth_turns_on_the_spot() -> None:
    config = configuration.load(FLAT, num_envs=2, seed=0)
    with open_environment(config) as env, torch.inference_mode():
        term = env.command_manager.get_term("base_velocity")
        drawn, turning, straight = [], [], []
        for _ in range(1000):
            term._resample_command(torch.arange(2))
            drawn.append(term.vel_command_b.clone())
            turning.append(term.is_turning_env.clone())
            straight.append(term.asks_to_go_straight.clone())
        commands, turns = torch.cat(drawn), torch.cat(turning)
        assert turns.float().mean() == pytest.approx(0.1, abs=0.03)
        assert (commands[turns, :2] == 0.0).all()
        assert commands[turns, 2].min() < -0.8
        assert commands[turns, 2].max() > 0.8
        assert not (turns & torch.cat(straight)).any()
        assert (torch.linalg.norm(commands[~turns, :2], dim=1) > 0.0).all()
        assert torch.cat(straight).float().mean() == pytest.approx(0.6 * 0.9 * 0.95, abs=0.05)
        # What was drawn for a robot that turns stays, instead of following a heading.
        term.is_turning_env[:] = torch.tensor([True, False])
        term.is_heading_env[:] = torch.tensor([False, True])
        term.is_standing_env[:] = False
        term.vel_command_b[:] = torch.tensor([0.0, 0.0, 0.9])
        term._update_command()
        assert term.vel_command_b[0].tolist() == pytest.approx([0.0, 0.0, 0.9])


def test_a_robot_that_circles_keeps_its_level() -> None:
    overrides = {
        "env.scene.terrain.terrain_generator.num_rows": 4,
        "env.scene.terrain.terrain_generator.num_cols": 2,
        "env.terrain_set": "flat",
    }
    config = configuration.load(ROUGH, overrides, num_envs=4, seed=0)
    with open_environment(config) as env, torch.inference_mode():
        term, terrain = env.command_manager.get_term("base_velocity"), env.scene.terrain
        terrain.terrain_levels[:] = 2
        # Asked to walk 1 m/s and still at the origin: holding a heading, circling, turning, standing.
        term.vel_command_b[:] = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
        term.is_heading_env[:] = torch.tensor([True, False, False, True])
        term.is_standing_env[:] = torch.tensor([False, False, False, True])
        env.scene.env_origins[:] = env.scene["robot"].data.root_pos_w.torch
        curriculum = env.curriculum_manager.cfg.terrain_levels.func
        curriculum(env, torch.arange(4))
        assert terrain.terrain_levels.tolist() == [1, 2, 2, 2]
        # Each 5 m from its origin: everyone gets harder ground.
        env.scene.env_origins[:, 0] = env.scene["robot"].data.root_pos_w.torch[:, 0] - 5.0
        curriculum(env, torch.arange(4))
        assert terrain.terrain_levels.tolist() == [2, 3, 3, 3]
