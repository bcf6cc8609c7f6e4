"""Rough ground in the real simulator, on CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("isaaclab")

import numpy as np
import torch

from wavebook_locomotion import configuration, evaluation, inspection, training
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.simulation import open_environment

pytestmark = pytest.mark.sim

ROUGH = "Wavebook-Velocity-Rough-DHAV1"
GENERATOR = "env.scene.terrain.terrain_generator"
SMALL = {f"{GENERATOR}.num_rows": 3, f"{GENERATOR}.num_cols": 6}
"""A ground of each kind and few levels, which is made in a fraction of the time."""


def test_random_actions_on_every_level_stay_finite() -> None:
    config = configuration.load(ROUGH, {"env.scene.terrain.max_init_terrain_level": None}, num_envs=64, seed=0)
    fastest = 0.0
    with open_environment(config) as env, torch.inference_mode():
        torch.manual_seed(0)
        for step in range(200):
            observations, rewards, *_ = env.step(torch.randn(64, 12))
            assert torch.isfinite(observations["policy"]).all(), f"step {step}"
            assert torch.isfinite(rewards).all(), f"step {step}"
            fastest = max(fastest, float(env.scene["robot"].data.joint_vel.torch.abs().max()))
        levels = env.scene.terrain.terrain_levels
        assert len(levels.unique()) > 5
    # The motors' speed limit is 26 rad/s; a joint far beyond it is the first sign of a simulation that runs away.
    assert fastest < 80.0


def test_training_and_evaluation_report_levels(tmp_path: Path) -> None:
    overrides = {
        "agent.actor.hidden_dims": [16],
        "agent.critic.hidden_dims": [16],
        "agent.num_steps_per_env": 4,
        **SMALL,
        "env.episode_length_s": 1.0,
    }
    config = configuration.load(ROUGH, overrides, num_envs=6, seed=1)
    seen: list[dict[str, float]] = []
    outcome = training.train(
        config, iterations=14, log_dir=tmp_path, on_iteration=lambda _, metrics: seen.append(metrics)
    )
    assert any("Curriculum/terrain_levels" in metrics for metrics in seen)
    result = evaluation.evaluate(config, outcome.checkpoint, num_envs=12, seconds=1.2)
    assert set(result["per_terrain"]) == {
        "pyramid_stairs",
        "pyramid_stairs_inv",
        "boxes",
        "random_rough",
        "hf_pyramid_slope",
        "hf_pyramid_slope_inv",
    }
    levels = [terrain["level"] for terrain in result["per_terrain"].values()]
    assert result["terrain_level"] == pytest.approx(sum(levels) / 6)
    assert all(0.0 <= level <= 10.0 for level in levels)


def test_a_broken_robot_is_reset_counted_and_written_down(tmp_path: Path) -> None:
    config = configuration.load(ROUGH, SMALL, num_envs=4, seed=0)
    with open_environment(config) as env, torch.inference_mode():
        env.record_folder = tmp_path
        still = torch.zeros(4, 12)
        env.step(still)
        robot = env.scene["robot"]
        speeds = robot.data.joint_vel.torch.clone()
        speeds[2, 3] = float("nan")
        robot.write_joint_velocity_to_sim_index(velocity=speeds)
        observations, rewards, terminated, *_ = env.step(still)
        assert terminated.tolist() == [False, False, True, False]
        assert rewards[2] == 0.0
        log = dict(env.extras["log"])
        for _ in range(20):
            assert torch.isfinite(observations["policy"]).all()
            assert torch.isfinite(rewards).all()
            observations, rewards, *_ = env.step(still)
        # The robot goes on: it stands again, and the solver has kept nothing of the NaN.
        assert robot.data.joint_vel.torch[2].abs().max() < 30.0
        assert env.guard_resets == 1
    assert log["Episode_Termination/simulation_broken"] == 0.25
    assert all(torch.isfinite(torch.as_tensor(value)).all() for value in log.values())
    (record,) = tmp_path.glob("*.npz")
    with np.load(record) as arrays:
        assert arrays["reasons"].tolist() == [True, False, False, False]
        assert np.isfinite(arrays["before_joint_vel"]).sum() == 11
        assert arrays["action"].shape == (12,)
        assert 0 <= arrays["terrain_level"] < 3
        assert arrays["environment"] == 2
        assert str(arrays["terrain"]) in config.env.scene.terrain.terrain_generator.sub_terrains
        sound = {name: value for name, value in arrays.items()}
    # Seen again from the record alone: the same break, and none where its one wrong number is put right.
    told = inspection.describe(record)
    assert told["reasons"] == ["not finite"]
    assert told["before"]["not_finite"] == ["joint_vel"]
    one = configuration.load(ROUGH, SMALL, num_envs=1, seed=0)
    found = inspection.again(one, record)["found"]
    assert found["reasons"] == ["not finite"]
    assert (found["terrain"], found["terrain_level"]) == (told["terrain"], told["terrain_level"])
    np.savez(tmp_path / "sound.npz", **{**sound, "before_joint_vel": np.nan_to_num(sound["before_joint_vel"])})
    assert inspection.again(one, tmp_path / "sound.npz") == {"broken": False}
    with pytest.raises(ConfigurationError, match="is no record of a broken robot"):
        inspection.describe(Path(__file__))
