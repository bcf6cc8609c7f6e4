"""Reward terms on numbers worked out by hand, and presets in the real simulator."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("isaaclab")

import torch
from isaaclab.managers import SceneEntityCfg
from isaaclab_tasks.core.velocity import mdp

from wavebook_locomotion import configuration, description
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.rewards import presets
from wavebook_locomotion.rewards.energy import joint_power
from wavebook_locomotion.rewards.feet import feet_height_body
from wavebook_locomotion.rewards.gait import feet_gait
from wavebook_locomotion.rewards.standing import stand_still
from wavebook_locomotion.rewards.symmetry import joint_mirror
from wavebook_locomotion.simulation import open_environment

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"
QUARTER_TURN = math.sqrt(0.5)


def state(**arrays: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: SimpleNamespace(torch=torch.tensor(value)) for name, value in arrays.items()})


def world(
    command: list[list[float]], *, robot: Any = None, contacts: Any = None, torques: list[list[float]] | None = None
) -> Any:
    """What the terms read of an environment, holding the given numbers."""
    asset = SimpleNamespace(data=robot)
    if torques is not None:
        asset.actuators = state(applied_effort=torques)

    class Scene(dict):
        sensors = {"contact_forces": SimpleNamespace(data=contacts)}  # noqa: RUF012

    return SimpleNamespace(
        scene=Scene(robot=asset),
        command_manager=SimpleNamespace(get_command=lambda name: torch.tensor(command)),
    )


def part(name: str, **ids: Any) -> SceneEntityCfg:
    entity = SceneEntityCfg(name)
    for key, value in ids.items():
        setattr(entity, key, value)
    return entity


FEET = part("contact_forces", body_ids=[0, 1, 2, 3])


def gait(air: list[float], ground: list[float], command: list[float], speed: float = 0.0, sigma: float = 0.1) -> float:
    env = world(
        [command],
        robot=state(root_lin_vel_b=[[speed, 0.0, 0.0]]),
        contacts=state(current_air_time=[air], current_contact_time=[ground]),
    )
    return float(feet_gait(env, "base_velocity", FEET, sigma=sigma, max_error=0.2))


def test_a_trot_gets_the_whole_reward() -> None:
    # One diagonal pair has been in the air for as long as the other on the ground.
    assert gait([0.15, 0.15, 0.0, 0.0], [0.0, 0.0, 0.15, 0.15], [0.5, 0.0, 0.0]) == pytest.approx(1.0)


def test_feet_that_stand_together_are_out_of_step() -> None:
    # All feet on the ground for 0.1 s: eight differences of 0.1 s between the pairs, none within them.
    expected = math.exp(-8 * 0.01 / 0.1)
    assert gait([0.0] * 4, [0.1] * 4, [0.5, 0.0, 0.0]) == pytest.approx(expected)
    # From 0.2 s on a difference counts as 0.2 s.
    assert gait([0.0] * 4, [5.0] * 4, [0.5, 0.0, 0.0], sigma=math.sqrt(0.5)) == pytest.approx(
        math.exp(-8 * 0.04 / math.sqrt(0.5))
    )


def test_a_pair_out_of_step_costs_within_and_between_the_pairs() -> None:
    # Foot 0 has been up for 0.1 s, all others down for 0.1 s. Within: (0,1) differs in both times. Between: (0,2) and
    # (0,3) fit, (1,2) and (1,3) differ in both.
    expected = math.exp(-(2 + 4) * 0.01 / 0.1)
    assert gait([0.1, 0.0, 0.0, 0.0], [0.0, 0.1, 0.1, 0.1], [0.5, 0.0, 0.0]) == pytest.approx(expected)


def test_a_gait_counts_where_the_robot_should_walk_or_does() -> None:
    trot = ([0.15, 0.15, 0.0, 0.0], [0.0, 0.0, 0.15, 0.15])
    assert gait(*trot, [0.05, 0.0, 0.0]) == 0.0
    assert gait(*trot, [0.05, 0.0, 0.0], speed=0.6) == pytest.approx(1.0)
    assert gait(*trot, [0.0, 0.0, 1.0]) == pytest.approx(1.0)  # turning on the spot is walking


def test_the_spread_of_steps_is_their_variance_over_the_feet() -> None:
    contacts = state(last_air_time=[[0.1, 0.2, 0.3, 9.0]], last_contact_time=[[0.2, 0.2, 0.2, 0.2]])
    env = world([[1.0, 0.0, 0.0]], contacts=contacts)
    # 9 s count as 0.5 s: mean 0.275, squares 0.030625 + 0.005625 + 0.000625 + 0.050625, over three.
    assert float(mdp.feet_air_time_variance(env, "base_velocity", FEET)) == pytest.approx(0.0875 / 3)


def test_a_swinging_foot_has_its_height_seen_from_the_base() -> None:
    # The base at (1, 0, 1) lies on its left side (a quarter turn about x, quaternions as x, y, z, w): its z axis is the
    # world's -y. The first foot is 0.3 m along -z of the base, the second one is not moving relative to it.
    robot = state(
        root_pos_w=[[1.0, 0.0, 1.0]],
        root_quat_w=[[QUARTER_TURN, 0.0, 0.0, QUARTER_TURN]],
        root_lin_vel_w=[[0.5, 0.0, 0.0]],
        body_pos_w=[[[1.0, 0.3, 1.0], [1.0, 0.1, 1.0]]],
        body_lin_vel_w=[[[1.5, 0.0, 0.0], [0.5, 0.0, 0.0]]],
    )
    env = world([[1.0, 0.0, 0.0]], robot=robot)
    feet = part("robot", body_ids=[0, 1])
    value = float(feet_height_body(env, "base_velocity", feet, target_height=-0.2))
    assert value == pytest.approx(0.1**2 * math.tanh(2.0 * 1.0), rel=1e-4)
    standing = world([[0.0, 0.0, 0.05]], robot=robot)
    assert float(feet_height_body(standing, "base_velocity", feet, target_height=-0.2)) == 0.0


def test_diagonal_legs_are_compared() -> None:
    angles = [0.1, 0.8, -1.6, 0.0, 0.8, -1.4, 0.0, 0.7, -1.5, 0.0, 0.7, -1.5]
    env = world([[0.0, 0.0, 0.0]], robot=state(joint_pos=[angles]))
    # First pair 0.1^2 + 0 + 0.2^2, second 0; their mean.
    value = float(joint_mirror(env, part("robot", joint_ids=list(range(12)))))
    assert value == pytest.approx(0.025)


def test_braking_costs_power_as_well() -> None:
    env = world([[0.0, 0.0, 0.0]], robot=state(joint_vel=[[2.0, -3.0, 1.0]]), torques=[[5.0, 4.0, 0.0]])
    assert float(joint_power(env, part("robot", joint_ids=[0, 1, 2]))) == pytest.approx(22.0)


def test_standing_is_asked_for_where_nothing_is_commanded() -> None:
    robot = state(joint_pos=[[0.1, 0.9]] * 3, default_joint_pos=[[0.0, 1.0]] * 3)
    env = world([[0.0, 0.05, 0.0], [0.0, 0.0, 0.5], [0.3, 0.0, 0.0]], robot=robot)
    values = stand_still(env, "base_velocity", asset_cfg=part("robot", joint_ids=[0, 1]))
    assert values.tolist() == pytest.approx([0.2, 0.0, 0.0])


def test_only_force_beyond_the_threshold_counts() -> None:
    # Two moments of two feet: 130 N and 90 N at most.
    forces = [[[[0.0, 0.0, 100.0], [0.0, 0.0, 90.0]], [[0.0, 50.0, 120.0], [0.0, 0.0, 10.0]]]]
    env = world([[0.0, 0.0, 0.0]], contacts=state(net_normal_forces_w_history=forces))
    feet = part("contact_forces", body_ids=[0, 1])
    assert float(mdp.contact_forces(env, threshold=100.0, sensor_cfg=feet)) == pytest.approx(30.0)


@pytest.mark.parametrize("task", [FLAT, ROUGH])
def test_a_preset_weighs_every_term(task: str) -> None:
    for name, preset in presets.PRESETS.items():
        config = configuration.load(task, {"env.reward_preset": name}, num_envs=1, seed=0)
        rows = {row["term"]: row for row in description.rewards(config)}
        assert {term: row["weight"] for term, row in rows.items()} == preset.weights
        assert all(row["unit"] for row in rows.values())
        for term, weight in preset.weights.items():
            assert (weight > 0) == (term in presets.REWARDED), f"{name}: {term}"


def test_a_weight_of_its_own_counts_above_the_preset() -> None:
    overrides = {"env.rewards.feet_gait.weight": 0.9, "env.reward_preset": "lite3", "env.rewards.joint_mirror": None}
    rewards = configuration.load(FLAT, overrides, num_envs=1, seed=0).env.rewards
    assert rewards.feet_gait.weight == 0.9
    assert rewards.feet_gait.params["sigma"] == pytest.approx(math.sqrt(0.5))
    assert rewards.joint_mirror is None
    assert rewards.feet_air_time_variance.weight == -8.0
    # Nothing of it stays behind.
    own = configuration.load(FLAT, num_envs=1, seed=0).env.rewards
    assert own.feet_gait is None
    assert own.track_lin_vel_xy_exp.weight == 3.0


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'lite3'"):
        configuration.load(FLAT, {"env.reward_preset": "lite"}, num_envs=1, seed=0)


@pytest.mark.sim
def test_the_terms_read_what_they_mean() -> None:
    config = configuration.load(FLAT, {"env.reward_preset": "lite3"}, num_envs=4, seed=0)
    with open_environment(config) as env, torch.inference_mode():
        robot, sensor = env.scene["robot"], env.scene.sensors["contact_forces"]
        gait = env.reward_manager.get_term_cfg("feet_gait").params["sensor_cfg"]
        names = sensor.body_names
        assert [names[index] for index in gait.body_ids] == ["FL_foot", "RR_foot", "FR_foot", "RL_foot"]
        mirror = env.reward_manager.get_term_cfg("joint_mirror").params["asset_cfg"]
        assert [robot.joint_names[index] for index in mirror.joint_ids][:6] == [
            *("FL_hip_joint", "FL_thigh_joint", "FL_knee_joint"),
            *("RR_hip_joint", "RR_thigh_joint", "RR_knee_joint"),
        ]
        for _ in range(60):
            _, rewards, *_ = env.step(torch.zeros(4, 12))
            assert torch.isfinite(rewards).all()
        # The feet are found: their centres stand a foot's radius above the plane.
        feet = env.reward_manager.get_term_cfg("feet_height_body").params["asset_cfg"].body_ids
        assert robot.data.body_pos_w.torch[:, feet, 2].mean() == pytest.approx(0.022, abs=0.005)
        assert set(env.reward_manager.active_terms) == set(presets.PRESETS["lite3"].weights)
