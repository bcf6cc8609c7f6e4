"""The evaluation's arithmetic by hand, and its two halves on a few robots in the real simulator."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("isaaclab")

import torch
from isaaclab.actuators.newton.adapter import read_group_parameter
from onnx.reference import ReferenceEvaluator

from wavebook_locomotion import configuration, evaluation, training
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.evaluation.disturbances import DISTURBANCES
from wavebook_locomotion.evaluation.evaluate import by_terrain, fixed_configuration, summary
from wavebook_locomotion.evaluation.measures import cost_of_transport, interval
from wavebook_locomotion.evaluation.protocol import PROTOCOL
from wavebook_locomotion.evaluation.rollout import Rollout
from wavebook_locomotion.export import export
from wavebook_locomotion.randomization.delay import DelayedDCMotorCfg
from wavebook_locomotion.randomization.friction import set_friction
from wavebook_locomotion.simulation import open_environment
from wavebook_locomotion.slim import slim

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"
SMALL: dict[str, Any] = {
    "agent.actor.hidden_dims": [16],
    "agent.critic.hidden_dims": [16],
    "agent.num_steps_per_env": 4,
}


def test_cost_of_transport_by_hand() -> None:
    # Command 0: (98.1 + 98.1) J for 10 kg over (1 + 3) m: 196.2 / (9.81 * 40) = 0.5.
    # Command 1: 117.72 / (9.81 * 12) = 1. Command 2 stands, command 3 asks for 10 m and gets 0.5 m: neither counts.
    cost = cost_of_transport(
        work=np.array([98.1, 98.1, 117.72, 50.0, 70.0]),
        progress=np.array([1.0, 3.0, 1.0, 0.0, 0.5]),
        asked=np.array([4.0, 4.0, 1.0, 0.0, 10.0]),
        mass=np.array([10.0, 10.0, 12.0, 10.0, 10.0]),
        groups=np.array([0, 0, 1, 2, 3]),
    )
    assert cost == pytest.approx(0.75)
    nothing = np.zeros(2)
    assert cost_of_transport(np.ones(2), nothing, np.ones(2), np.ones(2), nothing) is None


@pytest.mark.parametrize(("freedom", "standard_errors"), [(2, 4.303), (29, 2.045), (490, 1.9648), (10**6, 1.95996)])
def test_the_interval_is_wider_where_few_robots_tell_its_standard_error(freedom: int, standard_errors: float) -> None:
    reach = 0.01 * standard_errors
    assert interval(0.2, 0.01, freedom) == pytest.approx([0.2 - reach, 0.2 + reach], abs=1e-5)


def test_an_unknown_standard_error_gives_no_interval() -> None:
    assert interval(0.2, None, 0) is None


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    commands = np.arange(12) % 10
    none = np.zeros(12)
    held = 0
    for _ in range(400):
        given = {name: none for name in Rollout.__dataclass_fields__}
        measured = Rollout(**(given | {"error_xy": random.normal(0.2, 0.05, 12)}))
        low, high = summary(measured, commands)["error_vel_xy_interval"]
        held += low <= 0.2 <= high
    # 380 expected, standard deviation 4.4; with 1.96 standard errors it would be 324.
    assert held >= 365


def rollout(columns: list[int], cleared: list[bool], error: list[float], survived: list[bool]) -> Rollout:
    given = {"columns": columns, "cleared": cleared, "error_xy": error, "survived": survived}
    none = np.zeros(len(columns))
    return Rollout(**{name: np.array(given[name]) if name in given else none for name in Rollout.__dataclass_fields__})


def test_a_terrains_level_is_the_share_of_its_levels_that_are_cleared() -> None:
    climbed = rollout([0, 1, 0, 1, 0, 1, 0], [True, True, True, False, True, False, False], [9.0] * 7, [False] * 7)
    tracked = rollout([0, 0, 1], [False] * 3, [0.1, 0.3, 0.5], [True, False, True])
    assert by_terrain(tracked, climbed, ["slopes", "stairs", "plane"], levels=10) == {
        "slopes": {"level": pytest.approx(7.5), "error_vel_xy": pytest.approx(0.2), "time_out": 0.5},
        "stairs": {"level": pytest.approx(10 / 3), "error_vel_xy": 0.5, "time_out": 1.0},
    }


def test_disturbances_are_the_same_each_time_and_as_large_as_they_say() -> None:
    draw, again = (DISTURBANCES.draw(500, 11.0, 0.02, seed=4) for _ in range(2))
    # At 2, 6 and 10 s.
    assert list(draw.pushes) == [100, 300, 500]
    for step, push in draw.pushes.items():
        assert np.linalg.norm(push, axis=1) == pytest.approx(0.5)
        assert (push == again.pushes[step]).all()
        assert np.abs(push.mean(axis=0)).max() < 0.1
    assert draw.payload.min() == pytest.approx(-1.0, abs=0.05)
    assert draw.payload.max() == pytest.approx(3.0, abs=0.05)
    assert draw.friction.min() == pytest.approx(0.3, abs=0.01)
    assert draw.friction.max() == pytest.approx(1.0, abs=0.01)


@pytest.mark.sim
def test_loads_friction_and_pushes_reach_the_simulation() -> None:
    config = fixed_configuration(configuration.load(FLAT, num_envs=4, seed=0), 4, PROTOCOL)
    config.env.events.reset_robot_joints.params["position_range"] = (1.0, 1.0)
    draw = DISTURBANCES.draw(4, 3.0, 0.02, seed=1)
    with open_environment(config) as env, torch.inference_mode():
        robot, still = env.scene["robot"], torch.zeros(4, 12)
        nominal = robot.data.body_mass.torch.clone()
        draw.prepare(env, nominal)
        assert (robot.data.body_mass.torch - nominal).sum(dim=1).numpy() == pytest.approx(draw.payload, abs=1e-4)
        robot.set_masses_index(masses=nominal)
        # A shove of 0.6 m/s: on ice a robot slides away, on rubber it stays.
        set_friction(env, torch.tensor([0.02, 0.02, 1.0, 1.0]))
        env.reset(seed=1)
        for _ in range(30):
            env.step(still)
        before = robot.data.root_pos_w.torch.clone()
        speed = robot.data.root_vel_w.torch.clone()
        speed[:, 0] += 0.6
        robot.write_root_velocity_to_sim_index(root_velocity=speed)
        for _ in range(25):
            env.step(still)
        way = (robot.data.root_pos_w.torch - before)[:, 0]
        assert way[:2].min() > 0.15
        assert way[2:].max() < 0.1
        velocity = robot.data.root_vel_w.torch[:, :2].clone()
        draw.push(env, 99)
        assert (robot.data.root_vel_w.torch[:, :2] == velocity).all()
        draw.push(env, 100)
        assert (robot.data.root_vel_w.torch[:, :2] - velocity).numpy() == pytest.approx(draw.pushes[100], abs=1e-5)


BLIND: dict[str, Any] = {
    **SMALL,
    "env.observation_set": "deployable",
    "env.randomization": "lite3",
    "env.terrain_set": "gentle",
    "env.scene.terrain.terrain_generator.num_rows": 2,
    "env.scene.terrain.terrain_generator.num_cols": 3,
}


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> tuple[configuration.TaskConfig, Path]:
    """A run that sees only what a robot can measure, with everything randomised, on easy ground."""
    config = configuration.load(ROUGH, BLIND, num_envs=4, seed=1)
    folder = tmp_path_factory.mktemp("blind")
    outcome = training.train(config, iterations=1, log_dir=folder, on_iteration=lambda *_: None)
    return config, outcome.checkpoint


@pytest.fixture(scope="module")
def judged(blind: tuple[configuration.TaskConfig, Path]) -> dict[str, Any]:
    config, checkpoint = blind
    return evaluation.evaluate(config, checkpoint, num_envs=12, seconds=1.2, terrain_set="gentle")


@pytest.mark.sim
def test_the_ground_is_the_protocols_and_part_of_its_name(
    blind: tuple[configuration.TaskConfig, Path], judged: dict[str, Any]
) -> None:
    (config, checkpoint), result = blind, judged
    assert set(result["per_terrain"]) == {"random_rough", "hf_pyramid_slope", "hf_pyramid_slope_inv"}
    assert result["protocol"] == {
        "name": "wavebook",
        "version": 1,
        "terrain_set": "gentle",
        "hash": PROTOCOL.on("gentle").hash,
    }
    low, high = result["error_vel_xy_interval"]
    assert low < result["error_vel_xy"] < high
    robust = result["robustness"]
    assert robust["protocol"]["hash"] == DISTURBANCES.hash
    # The same robots at the same places, but loaded and on other friction.
    assert robust["error_vel_xy"] != result["error_vel_xy"]
    for half in (result, robust):
        assert 0.0 < half["torque_use"] < 1.0
        assert 0.0 <= half["torque_saturated"] < 1.0
        assert 0.0 <= half["joint_limit_use"] < 1.0
    with pytest.raises(ConfigurationError, match=r"no terrain set 'gentel'.*Did you mean 'gentle'"):
        evaluation.evaluate(config, checkpoint, num_envs=12, seconds=1.2, terrain_set="gentel")
    # Whatever a run trained on, the ground without a choice is the full one.
    assert set(fixed_configuration(config, 1, PROTOCOL).env.scene.terrain.terrain_generator.sub_terrains) >= {"boxes"}


@pytest.mark.sim
def test_a_policy_that_sees_less_has_a_critic_that_sees_all(blind: tuple[configuration.TaskConfig, Path]) -> None:
    _, checkpoint = blind
    models = torch.load(checkpoint, weights_only=False)
    # Angular velocity, gravity, command, joint angles and speeds, last action; the critic also velocity and scan.
    assert models["actor_state_dict"]["mlp.0.weight"].shape == (16, 45)
    assert models["critic_state_dict"]["mlp.0.weight"].shape == (16, 235)


@pytest.mark.sim
def test_sets_and_presets_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"no randomisation 'lite'.*Did you mean 'lite3'"):
        configuration.load(FLAT, {"env.randomization": "lite"}, num_envs=1, seed=0)
    with pytest.raises(ConfigurationError, match=r"no observation set 'deploy'.*Did you mean 'deployable'"):
        configuration.load(FLAT, {"env.observation_set": "deploy"}, num_envs=1, seed=0)
    hidden = {"env.observation_set": "blind", "env.observations.policy.height_scan.noise.n_max": 0.2}
    with pytest.raises(ConfigurationError, match=r"height_scan\.noise\.n_max' is set and .*'blind' hides"):
        configuration.load(ROUGH, hidden, num_envs=1, seed=0)


@pytest.mark.sim
def test_none_makes_all_robots_alike_and_lite3_makes_them_differ() -> None:
    spreads = {}
    for name in ("none", "lite3"):
        config = configuration.load(FLAT, {"env.randomization": name}, num_envs=8, seed=0)
        with open_environment(config) as env:
            robot = env.scene["robot"].data
            spreads[name] = (
                float(robot.body_mass.torch.std(dim=0).min()),
                float(robot.body_com_pos_b.torch[:, 0].std(dim=0).min()),
            )
            assert ("push_robot" in env.event_manager.active_terms.get("interval", [])) == (name == "lite3")
    assert spreads["none"] == (0.0, 0.0)
    assert min(spreads["lite3"]) > 0.001


@pytest.mark.sim
def test_commands_reach_late_motors_late() -> None:
    config = configuration.load(FLAT, {"env.randomization": "lite3"}, num_envs=16, seed=0)
    config.env.decimation = 1
    config.env.events.push_robot = None
    with open_environment(config) as env:
        robot = env.scene["robot"]
        delays = read_group_parameter(robot.actuators, "legs", "delay", "delay_steps")
        assert set(delays.unique().tolist()) <= set(range(6))
        assert len(delays.unique()) > 2
        assert (delays == delays[:, :1]).all()
        env.reset()
        still = torch.zeros(16, 12)
        for _ in range(8):
            env.step(still)
        torques = [robot.actuators.computed_effort.torch.clone()]
        for _ in range(7):
            env.step(still + 1.0)
            torques.append(robot.actuators.computed_effort.torch.clone())
    # A command that arrives changes the torque by stiffness x 0.25 rad at once; joints move much less in a step.
    jumps = torch.stack([(after - before).abs().mean(dim=1) for before, after in itertools.pairwise(torques)])
    assert jumps.argmax(dim=0).tolist() == delays[:, 0].tolist()
    # The evaluation's motors are prompt.
    judged = fixed_configuration(config, 1, PROTOCOL).env
    assert not isinstance(judged.scene.robot.actuators["legs"], DelayedDCMotorCfg)
    assert judged.events.actuator_delay is None


@pytest.mark.sim
def test_an_exported_policy_acts_like_the_run(blind: tuple[configuration.TaskConfig, Path], tmp_path: Path) -> None:
    config, checkpoint = blind
    # What a record keeps of a checkpoint is enough.
    kept = tmp_path / checkpoint.name
    slim(checkpoint, kept)
    assert kept.stat().st_size < 0.5 * checkpoint.stat().st_size
    found = export(config, kept, tmp_path, steps=3)
    assert (found["observation_size"], found["action_size"], found["observations"]) == (45, 12, 12)
    assert found["onnx_difference"] < 1e-5
    assert found["torchscript_difference"] < 1e-5
    # The files stand alone: the same answer again, and another one to another observation.
    policy = torch.jit.load(found["torchscript"])
    one, other = policy(torch.zeros(1, 45)), policy(torch.ones(1, 45))
    (from_onnx,) = ReferenceEvaluator(found["onnx"]).run(None, {"obs": np.ones((1, 45), dtype=np.float32)})
    assert from_onnx == pytest.approx(other.detach().numpy(), abs=1e-5)
    assert not torch.allclose(one, other)
    with pytest.raises(ConfigurationError, match=r"no checkpoint .*nowhere\.pt"):
        export(config, tmp_path / "nowhere.pt", tmp_path)


@pytest.mark.sim
def test_a_policy_is_judged_again_by_command_with_the_same_result(
    blind: tuple[configuration.TaskConfig, Path], judged: dict[str, Any]
) -> None:
    run = json.dumps({"task": ROUGH, "overrides": BLIND, "seed": 1})
    command = [sys.executable, "-m", "wavebook_locomotion.evaluation", str(blind[1]), "--num-envs", "12"]
    command += ["--terrain-set", "gentle", "--seconds"]
    done = subprocess.run([*command, "1.2"], input=run, capture_output=True, text=True, check=True)
    *told, last = (json.loads(line) for line in done.stdout.splitlines())
    shares = [line["progress"] for line in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert last["result"] == json.loads(json.dumps(judged))
    failed = subprocess.run([*command, "0.5"], input=run, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "0.5 s is too short" in failed.stderr
