"""Overrides on the real configuration objects; no simulation."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("isaaclab")

from wavebook_locomotion import configuration, description
from wavebook_locomotion.errors import ConfigurationError

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"


def load(task: str = FLAT, **overrides: Any) -> configuration.TaskConfig:
    return configuration.load(task, overrides, num_envs=4, seed=3)


def test_what_a_run_sets_reaches_both_objects() -> None:
    config = configuration.load(FLAT, {}, num_envs=5, seed=11, device="cuda:1")
    assert config.num_envs == 5
    assert config.env.seed == config.agent.seed == 11
    assert config.env.sim.device == config.agent.device == "cuda:1"


def test_overrides_reach_the_configuration() -> None:
    config = load(
        **{
            "env.rewards.track_lin_vel_xy_exp.weight": 5,
            "env.commands.base_velocity.ranges.lin_vel_x": [0, 1],
            "env.rewards.feet_air_time": None,
            "agent.actor.hidden_dims": [32, 16],
            "agent.algorithm.schedule": "fixed",
        }
    )
    assert config.env.rewards.track_lin_vel_xy_exp.weight == 5.0
    assert config.env.commands.base_velocity.ranges.lin_vel_x == (0.0, 1.0)
    assert config.env.rewards.feet_air_time is None
    assert config.agent.actor.hidden_dims == [32, 16]
    assert config.agent.critic.hidden_dims == [128, 128, 128]
    assert config.agent.algorithm.schedule == "fixed"


def test_one_run_leaves_nothing_in_the_next() -> None:
    load(
        ROUGH,
        **{
            "env.scene.terrain.terrain_generator.sub_terrains.boxes": None,
            "env.rewards.track_lin_vel_xy_exp.params.std": 0.3,
        },
    )
    config = load(ROUGH)
    assert "boxes" in config.env.scene.terrain.terrain_generator.sub_terrains
    assert config.env.rewards.track_lin_vel_xy_exp.params["std"] == 0.5
    # Flat and rough ground share Isaac Lab's base classes and their mutable defaults.
    assert load(FLAT).env.scene.terrain.terrain_generator is None
    assert load(ROUGH).env.scene.height_scanner is not None


def test_a_sub_terrain_can_be_removed() -> None:
    config = load(ROUGH, **{"env.scene.terrain.terrain_generator.sub_terrains.boxes": None})
    assert "boxes" not in config.env.scene.terrain.terrain_generator.sub_terrains
    rows = description.terrain(config)
    assert rows[0]["sub_terrain"] == "pyramid_stairs"
    assert sum(row["proportion"] for row in rows) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"env.rewards.track_lin_vel.weight": 1.0}, "Did you mean 'env.rewards.track_lin_vel_xy_exp.weight'"),
        ({"env.rewards.track_lin_vel_xy_exp.weight": "heavy"}, "takes a finite number, not 'heavy'"),
        ({"env.rewards.track_lin_vel_xy_exp.weight": float("nan")}, "takes a finite number"),
        ({"env.rewards.track_lin_vel_xy_exp.weight": True}, "takes a finite number"),
        ({"env.rewards.track_lin_vel_xy_exp.weight": None}, "cannot be null"),
        ({"env.rewards.feet_air_time": 0.5}, "can only be null"),
        ({"agent.num_steps_per_env": 2.5}, "takes a whole number"),
        ({"agent.actor.hidden_dims": 64}, "takes a list of values of type int"),
        ({"env.commands.base_velocity.ranges.lin_vel_x": [0.0]}, "takes a list of 2 values"),
        ({"env.commands.base_velocity.heading_command": 1}, "takes true or false"),
        ({"env.scene.num_envs": 8}, "set 'num_envs' of the plan"),
        ({"agent.max_iterations": 8}, "set 'iterations' of the plan"),
        ({"env.rewards.feet_air_time": None, "env.rewards.feet_air_time.weight": 1.0}, "drop one of the two"),
        ({"env.curriculum.terrain_levels": None}, "has no parameter"),
    ],
)
def test_a_wrong_override_is_refused_by_name(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        load(FLAT, **overrides)
    assert any(name in str(caught.value) for name in overrides)


def test_unknown_tasks_and_physics_name_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'Wavebook-Velocity-Flat-DHAV1'"):
        configuration.load("Wavebook-Velocity-Flat-DHAV", num_envs=1, seed=0)
    with pytest.raises(ConfigurationError, match=r"it has .*isaacsim_physx.*Did you mean 'newton_mjwarp'"):
        configuration.load(FLAT, num_envs=1, seed=0, physics="newton_mjwrap")


def test_other_physics_stay_selectable() -> None:
    assert type(configuration.load(ROUGH, num_envs=1, seed=0, physics="isaacsim_physx").env.sim.physics).__name__ == (
        "PhysxCfg"
    )


def test_nothing_is_downloaded() -> None:
    config = load(ROUGH)
    assert config.env.scene.robot.spawn.usd_path.endswith("dhav1.usda")
    assert config.env.scene.sky_light is None
    assert config.env.scene.terrain.visual_material is None
    assert load(FLAT).env.scene.terrain.usd_path.endswith("plane.usda")


def test_rewards_are_described_with_units() -> None:
    rows = {row["term"]: row for row in description.rewards(load(FLAT))}
    assert rows["base_height_l2"]["unit"] == "m²"
    assert rows["base_height_l2"]["parameters"]["target_height"] == 0.31
    assert rows["undesired_contacts"]["parameters"]["sensor_cfg"] == "contact_forces: .*_thigh"
    assert all(row["unit"] for row in rows.values())


def test_the_machine_is_described() -> None:
    described = description.environment("cpu")
    assert described["isaaclab"] == "3.0.0"
    assert described["device"]
    assert described["driver"] is None
