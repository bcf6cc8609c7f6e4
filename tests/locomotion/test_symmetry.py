"""Left and right: what is mirrored in numbers, in the real simulator, and in a training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("isaaclab")

import torch

from wavebook_locomotion import configuration
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.learner import make_runner
from wavebook_locomotion.simulation import open_environment
from wavebook_locomotion.symmetry import mirror, presets

pytestmark = pytest.mark.sim

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"
SMALL: dict[str, Any] = {
    "agent.actor.hidden_dims": [32],
    "agent.critic.hidden_dims": [32],
    "agent.num_steps_per_env": 8,
}
QUIET: dict[str, Any] = {
    "env.observations.policy.enable_corruption": False,
    "env.events.push_robot": None,
    "env.events.add_base_mass": None,
    "env.events.base_com": None,
    "env.commands.base_velocity.heading_command": False,
    "env.commands.base_velocity.rel_standing_envs": 0.0,
}


def test_joints_change_sides_and_hips_their_sign() -> None:
    found = mirror.joints(["FL_hip_joint", "FR_hip_joint", "FL_knee_joint", "FR_knee_joint"])
    assert found(torch.tensor([0.1, 0.2, -1.5, -1.0])).tolist() == pytest.approx([-0.2, -0.1, -1.0, -1.5])
    with pytest.raises(ConfigurationError, match="'FL_wheel_joint' has no mirror image"):
        mirror.joints(["FL_wheel_joint"])
    with pytest.raises(ConfigurationError, match=r"'FR_hip_joint' is missing.*Did you mean 'RR_hip_joint'"):
        mirror.joints(["FL_hip_joint", "RR_hip_joint", "RL_hip_joint"])


def test_rays_change_sides() -> None:
    pattern = configuration.load(ROUGH, num_envs=1, seed=0).env.scene.height_scanner.pattern_cfg
    starts, _ = pattern.func(pattern, "cpu")
    assert len(starts) == 17 * 11
    x, y = starts[:, 0], starts[:, 1]
    torch.testing.assert_close(mirror.rays(starts)(x + 3.0 * y), x - 3.0 * y)
    with pytest.raises(ConfigurationError, match="do not lie evenly"):
        mirror.rays(starts[y > 0.0])


def test_a_use_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'augmentation'"):
        configuration.load(FLAT, {"agent.algorithm.symmetry": "augmentatoin"}, num_envs=1, seed=0)
    assert configuration.load(FLAT, num_envs=1, seed=0).agent.algorithm.symmetry_cfg is None
    for name in presets.names():
        config = configuration.load(FLAT, {"agent.algorithm.symmetry": name}, num_envs=1, seed=0)
        assert presets.chosen(config.agent.algorithm) == name


@pytest.fixture(scope="module")
def robots() -> Iterator[tuple[Any, Any]]:
    """Eight robots on a plane, undisturbed, which observe a history as well; with their configuration."""
    config = configuration.load(FLAT, {**QUIET, **SMALL}, num_envs=8, seed=0)
    history = type(config.env.observations.policy)(height_scan=None)
    history.enable_corruption, history.history_length, history.history_order = False, 6, "time"
    config.env.observations.history = history
    with open_environment(config) as env:
        yield env, config


def place(env: Any, states: torch.Tensor, joints: torch.Tensor, speeds: torch.Tensor, commands: torch.Tensor) -> None:
    """Put the robots somewhere and let their histories begin there.

    Args:
        env: The environment.
        states: Position from the origin, quaternion (x, y, z, w), linear and angular velocity, shape ``[n, 13]``.
        joints: Angles, shape ``[n, 12]``.
        speeds: Their speeds, shape ``[n, 12]``.
        commands: Shape ``[n, 3]``.
    """
    robot = env.scene["robot"]
    env.reset(seed=0)
    pose = states[:, :7].clone()
    pose[:, :3] += env.scene.env_origins
    robot.write_root_link_pose_to_sim_index(root_pose=pose)
    robot.write_root_link_velocity_to_sim_index(root_velocity=states[:, 7:])
    robot.write_joint_position_to_sim_index(position=joints)
    robot.write_joint_velocity_to_sim_index(velocity=speeds)
    env.command_manager.get_term("base_velocity").vel_command_b[:] = commands
    env.observation_manager.reset()
    env.scene.write_data_to_sim()
    env.sim.forward()


POSITION, QUATERNION = [1.0, -1.0, 1.0], [-1.0, 1.0, -1.0, 1.0]  # a quaternion's vector is axial
LINEAR, ANGULAR = [1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]
SIGNS = torch.tensor([*POSITION, *QUATERNION, *LINEAR, *ANGULAR])


@pytest.mark.parametrize("height", [0.6, 0.27], ids=["in the air", "on the ground"])
def test_the_image_does_what_the_robot_does_in_the_mirror(robots: tuple[Any, Any], height: float) -> None:
    env, _ = robots
    robot = env.scene["robot"]
    sides, of_actions = mirror.joints(robot.joint_names), mirror.actions(env)
    generator = torch.Generator().manual_seed(3)

    def drawn(columns: int, width: float) -> torch.Tensor:
        return width * (2.0 * torch.rand(4, columns, generator=generator) - 1.0)

    def with_images(values: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        return torch.cat((values, images))

    turn = torch.nn.functional.normalize(torch.cat((drawn(3, 0.15), torch.ones(4, 1)), dim=1))
    position = torch.cat((drawn(2, 0.05), torch.full((4, 1), height)), dim=1)
    state = torch.cat((position, turn, drawn(3, 0.5), drawn(3, 1.0)), dim=1)
    standing = robot.data.default_joint_pos.torch[:4]
    assert torch.equal(sides(standing), standing)
    angles, speeds, command = standing + drawn(12, 0.2), drawn(12, 1.0), drawn(3, 1.0)
    place(
        env,
        with_images(state, state * SIGNS),
        with_images(angles, sides(angles)),
        with_images(speeds, sides(speeds)),
        with_images(command, mirror.COMMAND(command)),
    )
    groups = {name: mirror.observations(env, name) for name in ("policy", "history")}
    for _ in range(8):  # more than the history is long
        action = drawn(12, 1.0)
        observed, _, terminated, *_ = env.step(with_images(action, of_actions(action)))
        assert not terminated.any()
        after = torch.cat(
            (
                robot.data.root_pos_w.torch - env.scene.env_origins,
                robot.data.root_quat_w.torch,
                robot.data.root_lin_vel_w.torch,
                robot.data.root_ang_vel_w.torch,
            ),
            dim=1,
        )
        torch.testing.assert_close(after[4:], after[:4] * SIGNS, rtol=0.0, atol=1e-4)
        for name, image in groups.items():
            values = observed[name]
            torch.testing.assert_close(values[4:], image(values[:4]), rtol=0.0, atol=1e-4)
            assert (values[4:] - values[:4]).abs().amax(dim=1).min() > 0.5
    # The newest frame of a history in the order of time is the last.
    frames = observed["history"].unflatten(1, (6, -1))
    assert torch.equal(frames[:, -1], observed["policy"])
    assert not torch.equal(frames[:, -2], observed["policy"])


def test_the_image_of_the_image_is_the_robot(robots: tuple[Any, Any]) -> None:
    env, config = robots
    vec_env = make_runner(env, config).env
    observations = vec_env.get_observations()
    observations[mirror.NEXT + "policy"] = torch.randn_like(observations["policy"])
    actions = torch.randn(8, 12)
    both, both_actions = mirror.mirrored(vec_env, observations, actions)
    assert both.batch_size == torch.Size([16])
    again, actions_again = mirror.mirrored(vec_env, both[8:], both_actions[8:])
    for name, values in observations.items():
        assert torch.equal(both[name][:8], values)
        assert not torch.equal(both[name][8:], values)
        torch.testing.assert_close(again[name][8:], values, rtol=0.0, atol=0.0)
    assert torch.equal(actions_again[8:], actions)
    assert mirror.mirrored(vec_env, None, None) == (None, None)


def test_an_observation_without_an_image_is_refused_by_name(robots: tuple[Any, Any]) -> None:
    env, _ = robots
    terms = env.observation_manager._group_obs_term_cfgs["policy"]
    with pytest.raises(ConfigurationError, match=r"no observation group 'polcy'.*Did you mean 'policy'"):
        mirror.observations(env, "polcy")
    known, terms[0].func = terms[0].func, lambda env: None
    try:
        with pytest.raises(ConfigurationError, match=r"'policy\.base_lin_vel' has no known mirror image"):
            mirror.observations(env, "policy")
    finally:
        terms[0].func = known


def test_ppo_learns_to_act_alike_on_both_sides(robots: tuple[Any, Any], tmp_path: Path) -> None:
    env, _ = robots
    losses: dict[str, list[float]] = {}
    for use in presets.names():
        config = configuration.load(FLAT, {**QUIET, **SMALL, "agent.algorithm.symmetry": use}, num_envs=8, seed=0)
        seen: list[dict[str, float]] = []
        torch.manual_seed(0)
        runner = make_runner(
            env, config, log_dir=str(tmp_path), on_iteration=lambda _, values, seen=seen: seen.append(values)
        )
        runner.learn(6)
        if use == presets.NONE:
            assert "Loss/symmetry" not in seen[-1]
        else:
            losses[use] = [values["Loss/symmetry"] for values in seen]
    assert losses["loss"][-1] < 0.7 * losses["measured"][-1]
    assert losses["both"][-1] < 0.7 * losses["augmentation"][-1]
