"""HIM: what its history and its targets hold, in the real simulator, and that its estimate learns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("isaaclab")

import torch
from rsl_rl.algorithms import PPO

from wavebook_locomotion import configuration, evaluation, state, training
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.him.algorithm import HimPPO
from wavebook_locomotion.him.estimator import HimEstimator, assignments
from wavebook_locomotion.him.model import HimModel
from wavebook_locomotion.learner import MeasuredRunner, make_runner
from wavebook_locomotion.simulation import open_environment
from wavebook_locomotion.symmetry import mirror

pytestmark = pytest.mark.sim

TASK = "Wavebook-Velocity-Flat-HIM-DHAV1"
SMALL: dict[str, Any] = {
    "agent.actor.hidden_dims": [32],
    "agent.critic.hidden_dims": [32],
    "agent.num_steps_per_env": 16,
    "env.episode_length_s": 1.0,
    "env.observations.policy.enable_corruption": False,
}
QUICK: dict[str, Any] = {"env.sim.dt": 0.01, "env.decimation": 2, "agent.algorithm.schedule": "fixed"}
FRAME = 45
ITERATIONS = 8


def load(**overrides: Any) -> configuration.TaskConfig:
    return configuration.load(TASK, {**SMALL, **overrides}, num_envs=32, seed=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, float]]]:
    """A checkpoint of a short training, and what it reported."""
    seen: list[dict[str, float]] = []
    outcome = training.train(
        configuration.load(TASK, SMALL | QUICK, num_envs=128, seed=1),
        iterations=ITERATIONS,
        log_dir=tmp_path_factory.mktemp("him"),
        on_iteration=lambda _, values: seen.append(values),
    )
    return outcome.checkpoint, seen


def test_the_estimate_is_better_than_guessing_the_mean(trained: tuple[Path, list[dict[str, float]]]) -> None:
    _, seen = trained
    share = [values["Loss/velocity_estimate"] / values["Loss/velocity_variance"] for values in seen]
    assert share[0] > 1.0
    assert sum(share[-3:]) / 3 < 0.85
    assert seen[-1]["Loss/swapped_prediction"] < seen[0]["Loss/swapped_prediction"]


def test_the_policy_is_judged_like_any_other(trained: tuple[Path, list[dict[str, float]]]) -> None:
    checkpoint, _ = trained
    result = evaluation.evaluate(load(), checkpoint, num_envs=10, seconds=1.2)
    assert len(result["per_command"]) == 10
    assert 0.05 < result["error_vel_xy"] < 1.5


@pytest.fixture(scope="module")
def env() -> Iterator[Any]:
    with open_environment(load()) as env:
        yield env


def runner_in(env: Any) -> MeasuredRunner:
    torch.manual_seed(0)
    return make_runner(env, load())


def test_assignments_use_all_prototypes_alike() -> None:
    scores = torch.rand(64, 8) - 0.5
    found = assignments(scores)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(64))
    assert found.sum(dim=0) == pytest.approx([8.0] * 8, rel=0.25)
    # Two samples that both prefer the first prototype: the one that prefers it more gets it. With two of each and all
    # sums 1 there is one unknown, q / (1 - q) = sqrt(exp(0.4 / 0.05) / exp(0.2 / 0.05)).
    shared = assignments(torch.tensor([[0.4, 0.0], [0.2, 0.0]]), iterations=100)
    q = 1.0 / (1.0 + math.exp(-2.0))
    torch.testing.assert_close(shared, torch.tensor([[q, 1.0 - q], [1.0 - q, q]]))


def test_the_losses_are_those_of_the_source() -> None:
    torch.manual_seed(0)
    estimator = HimEstimator(12, 8, 4, 3, [16], [16], "elu", 3.0)
    history, successor = torch.randn(10, 12), torch.randn(10, 8)
    velocity, swapped = estimator.losses(history, successor)
    encoded = estimator.encoder(history)
    torch.testing.assert_close(encoded[:, 3:].norm(dim=1), torch.ones(10))
    torch.testing.assert_close(estimator.prototypes.norm(dim=1), torch.ones(3))
    assert float(velocity) == pytest.approx(float((encoded[:, :3] - successor[:, :3]).square().mean()))
    # Predictions that know nothing, 1/3 each, cost log(3) a sample, by three prototypes.
    assert float(swapped) == pytest.approx(math.log(3) / 3, rel=0.1)
    swapped.backward()
    assert estimator.prototypes.grad is not None
    assert estimator.encoder.layers[0].weight.grad.abs().sum() > 0
    assert estimator.successor[0].weight.grad.abs().sum() > 0


def test_the_newest_frame_stands_last(env: Any) -> None:
    actions = torch.rand(32, 12)
    env.reset()
    seen = []
    for _ in range(3):
        observed, *_ = env.step(actions)
        seen.append(observed["policy"].unflatten(1, (6, FRAME)))
    robot = env.scene["robot"].data
    command = env.command_manager.get_command("base_velocity")
    newest = seen[-1][:, -1]
    torch.testing.assert_close(newest[:, :3], command * torch.tensor([2.0, 2.0, 0.25]))
    torch.testing.assert_close(newest[:, 3:6], 0.25 * robot.root_ang_vel_b.torch)
    torch.testing.assert_close(newest[:, 6:9], robot.projected_gravity_b.torch)
    torch.testing.assert_close(newest[:, 33:], actions)
    assert torch.equal(newest[:, 3:], observed["successor"][:, 3:])
    torch.testing.assert_close(observed["successor"][:, :3], robot.root_lin_vel_b.torch)
    for back in (1, 2):
        assert torch.equal(seen[-1][:, -1 - back], seen[-1 - back][:, -1])


def test_the_target_of_an_ended_episode_is_its_last_state(env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = runner_in(env)
    robot = env.scene["robot"].data
    before: dict[int, torch.Tensor] = {}
    reset = env._reset_idx

    def reset_and_keep(ids: torch.Tensor) -> None:
        for index in ids.tolist():
            before[index] = torch.cat((robot.root_lin_vel_b.torch[index], robot.joint_pos.torch[index]))
        reset(ids)

    monkeypatch.setattr(env, "_reset_idx", reset_and_keep)
    env.episode_length_buf[:16] = 48  # half of them end at the second step
    standing = robot.default_joint_pos.torch
    observed = runner.env.get_observations()
    ended = 0
    with torch.inference_mode():
        for step in range(4):
            before.clear()
            after, rewards, dones, extras = runner.env.step(runner.alg.act(observed))
            runner.alg.process_env_step(after, rewards, dones, extras)
            stored = runner.alg.storage.observations[step]
            target = torch.cat((stored["next_successor"][:, :3], stored["next_successor"][:, 9:21] + standing), dim=1)
            done = dones.bool()
            assert set(done.nonzero().flatten().tolist()) == set(before)
            for index, last in before.items():
                torch.testing.assert_close(target[index], last, rtol=0.0, atol=1e-5)
                assert not torch.equal(stored["next_successor"][index], after["successor"][index])
            assert torch.equal(stored["next_successor"][~done], after["successor"][~done])
            assert torch.equal(stored["policy"], observed["policy"])
            ended += len(before)
            observed = after
    assert ended >= 16


def test_the_policys_gradient_does_not_reach_the_internal_model(env: Any) -> None:
    runner = runner_in(env)
    algorithm, actor = runner.alg, runner.alg.get_policy()
    assert isinstance(algorithm, HimPPO)
    assert isinstance(actor, HimModel)
    observed = runner.env.get_observations()
    with torch.inference_mode():
        for _ in range(16):
            after, *rest = runner.env.step(algorithm.act(observed))
            algorithm.process_env_step(after, *rest)
            observed = after
        algorithm.compute_returns(observed)
    # A robot whose simulation broke leaves values that are not numbers.
    algorithm.storage.observations["next_successor"][3, 5] = float("nan")
    internal = [parameter.clone() for parameter in actor.estimator.parameters()]
    acting = [parameter.clone() for parameter in actor.mlp.parameters()]
    PPO.update(algorithm)
    assert all(map(torch.equal, internal, actor.estimator.parameters()))
    assert not any(map(torch.equal, acting, actor.mlp.parameters()))
    acting = [parameter.clone() for parameter in actor.mlp.parameters()]
    rollout = algorithm.storage.observations.flatten(0, 1)
    algorithm._update_estimator(rollout, torch.isfinite(rollout["next_successor"]).all(dim=1).nonzero().flatten())
    assert all(map(torch.equal, acting, actor.mlp.parameters()))
    assert not any(map(torch.equal, internal, actor.estimator.parameters()))
    losses = algorithm.update()
    assert all(math.isfinite(value) for value in losses.values()), losses
    assert all(torch.isfinite(parameter).all() for parameter in actor.parameters())


def test_histories_go_on_after_a_resume(env: Any) -> None:
    runner = runner_in(env)
    for _ in range(3):
        env.step(torch.rand(32, 12))
    before = env.observation_manager.compute()["policy"].clone()
    captured = state.capture(env, runner, 0.0)
    env.reset()
    assert not torch.equal(env.observation_manager.compute()["policy"], before)
    state.restore(captured, env, runner)
    assert torch.equal(env.observation_manager.compute()["policy"], before)
    observed, *_ = env.step(torch.rand(32, 12))
    assert torch.equal(observed["policy"][:, :-FRAME], before[:, FRAME:])


def test_every_group_has_a_mirror_image(env: Any) -> None:
    view = runner_in(env).env
    observed = view.get_observations()
    observed["next_successor"] = torch.randn_like(observed["successor"])
    both, _ = mirror.mirrored(view, observed, None)
    again, _ = mirror.mirrored(view, both[32:], None)
    for name, values in observed.items():
        assert not torch.equal(both[name][32:], values)
        assert torch.equal(again[name][32:], values)


def test_a_configuration_makes_more_than_one_runner(env: Any) -> None:
    config = load()
    torch.manual_seed(0)
    first = make_runner(env, config)
    torch.manual_seed(0)
    second = make_runner(env, config)
    observed = first.env.get_observations()
    assert torch.equal(first.alg.get_policy()(observed), second.alg.get_policy()(observed))


def test_what_does_not_fit_is_refused_by_name(env: Any) -> None:
    config = load()
    config.agent.actor.history_length = 7
    with pytest.raises(ConfigurationError, match="270 columns, which cannot be 7 frames"):
        make_runner(env, config)
    config = load()
    config.agent.actor = configuration.load("Wavebook-Velocity-Flat-DHAV1", num_envs=1, seed=0).agent.actor
    with pytest.raises(ConfigurationError, match="trains a HimModel, not a MLPModel"):
        make_runner(env, config)
    config = load()
    del config.agent.obs_groups["successor"]
    with pytest.raises(ConfigurationError, match="needs an observation set 'successor'; there are actor, critic"):
        make_runner(env, config)
    env.cfg.compute_final_obs = False
    try:
        with pytest.raises(ConfigurationError, match=r"needs env\.compute_final_obs"):
            make_runner(env, load())
    finally:
        env.cfg.compute_final_obs = True


def test_nothing_is_learnt_from_a_robot_that_broke_although_its_numbers_are_finite(env: Any) -> None:
    with torch.inference_mode():
        robot = env.scene["robot"]
        speed = robot.data.root_vel_w.torch.clone()
        speed[1, 0] = 1.0e6
        robot.write_root_velocity_to_sim_index(root_velocity=speed)
        *_, extras = env.step(torch.zeros(env.action_space.shape))
    last = extras["final_obs"]["successor"]
    assert torch.isnan(last[1]).all()
    assert torch.isfinite(last[[row for row in range(env.num_envs) if row != 1]]).all()


def test_a_checkpoint_holds_the_internal_model(env: Any, trained: tuple[Path, Any]) -> None:
    checkpoint, _ = trained
    fresh = runner_in(env)
    observed = fresh.env.get_observations()
    policy = fresh.alg.get_policy()
    untrained = policy.velocity(observed)
    fresh.load(str(checkpoint))
    assert not torch.equal(policy.velocity(observed), untrained)
    steps = [int(entry["step"]) for entry in fresh.alg.estimator_optimizer.state.values()]
    assert set(steps) == {ITERATIONS * 5 * 4}  # epochs and minibatches
    # TorchScript acts as the policy does.
    exported = torch.jit.script(policy.as_jit().eval())
    torch.testing.assert_close(exported(observed["policy"]), policy(observed))
