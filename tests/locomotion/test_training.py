"""Training and evaluation of a few robots in the real simulator, on CPU."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("isaaclab")

import torch

from wavebook_locomotion import configuration, evaluation, training
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.replay import ReplayRecorder
from wavebook_locomotion.training import TrainingOutcome

pytestmark = pytest.mark.sim

FLAT = "Wavebook-Velocity-Flat-DHAV1"
SMALL: dict[str, Any] = {
    "agent.actor.hidden_dims": [16],
    "agent.critic.hidden_dims": [16],
    "agent.num_steps_per_env": 8,
    "env.episode_length_s": 1.0,
}


class Recorder:
    """Keeps what a training reports."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.iterations: list[int] = []
        self.metrics: list[dict[str, float]] = []
        self.precisions: set[str] = set()

    def iteration(self, number: int, metrics: dict[str, float]) -> None:
        self.precisions.add(torch.get_float32_matmul_precision())
        self.iterations.append(number)
        self.metrics.append(metrics)


def train(folder: Path, iterations: int = 8, **more: Any) -> tuple[TrainingOutcome, Recorder]:
    seen = Recorder()
    config = configuration.load(FLAT, SMALL, num_envs=8, seed=5)
    outcome = training.train(
        config,
        iterations=iterations,
        log_dir=folder,
        on_iteration=seen.iteration,
        on_phase=seen.phases.append,
        **more,
    )
    return outcome, seen


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingOutcome, Recorder]:
    # A notebook's kernel has words of its own on the command line; the simulator must not trip over them.
    arguments = sys.argv
    sys.argv = ["ipykernel_launcher.py", "-f", "kernel.json"]
    try:
        return train(tmp_path_factory.mktemp("checkpoints"))
    finally:
        assert sys.argv == ["ipykernel_launcher.py", "-f", "kernel.json"]
        sys.argv = arguments


def test_every_iteration_is_reported_with_rsl_rls_names(trained: tuple[TrainingOutcome, Recorder]) -> None:
    outcome, seen = trained
    assert seen.phases == ["starting", "compiling", "training"]
    assert seen.iterations == list(range(8))
    # Episodes last 50 steps, so after eight iterations of eight steps each robot has ended one.
    last = seen.metrics[-1]
    assert {"Train/mean_reward", "Train/mean_episode_length", "Loss/surrogate", "Loss/value", "Policy/mean_std"} <= set(
        last
    )
    assert {"Perf/total_fps", "Perf/collection_time", "Perf/learning_time"} <= set(last)
    ended = set().union(*seen.metrics)
    assert {"Episode_Reward/track_lin_vel_xy_exp", "Episode_Termination/time_out"} <= ended
    assert not [name for name in ended if name.endswith("/time")]
    assert all(math.isfinite(value) for metrics in seen.metrics for value in metrics.values())
    assert outcome.iterations == 8
    assert outcome.environment_steps == 8 * 8 * 8
    assert outcome.env_steps_per_second == pytest.approx(outcome.environment_steps / outcome.train_seconds)


def test_the_tracking_error_is_measured_from_the_first_iteration(trained: tuple[TrainingOutcome, Recorder]) -> None:
    _, seen = trained
    # Commands are drawn from ±1 m/s along both axes: a robot that hardly moves is off by some 0.8 m/s.
    assert all(0.2 < metrics["Metrics/error_vel_xy"] < 2.0 for metrics in seen.metrics)
    assert all(0.0 < metrics["Metrics/error_vel_yaw"] < 4.0 for metrics in seen.metrics)
    # Isaac Lab's own record of ended episodes starts with zeros that no episode measured; they are not handed on.
    assert all(metrics.get("Metrics/base_velocity/error_vel_xy", 1.0) > 0.0 for metrics in seen.metrics)


def test_only_the_training_rounds_products_of_matrices(trained: tuple[TrainingOutcome, Recorder]) -> None:
    _, seen = trained
    assert seen.precisions == {"high"}
    assert torch.get_float32_matmul_precision() == "highest"


def test_checkpoints_lie_in_the_given_folder_and_nothing_else(trained: tuple[TrainingOutcome, Recorder]) -> None:
    outcome, _ = trained
    assert outcome.checkpoint.name == "model_7.pt"
    assert {path.suffix for path in outcome.checkpoint.parent.rglob("*") if path.is_file()} == {".pt"}


def test_the_same_seed_trains_the_same(trained: tuple[TrainingOutcome, Recorder], tmp_path: Path) -> None:
    _, first = trained
    _, second = train(tmp_path)
    for before, after in zip(first.metrics, second.metrics, strict=True):
        timed = {name for name in before if name.startswith("Perf/")}
        assert {name: before[name] for name in before.keys() - timed} == {
            name: after[name] for name in after.keys() - timed
        }


def test_a_training_goes_on_from_a_checkpoint(trained: tuple[TrainingOutcome, Recorder], tmp_path: Path) -> None:
    outcome, _ = trained
    resumed, seen = train(tmp_path, iterations=10, checkpoint=outcome.checkpoint)
    assert seen.iterations == [8, 9]
    assert resumed.checkpoint.name == "model_9.pt"


def test_a_wrong_call_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="iterations must be at least 1"):
        train(tmp_path, iterations=0)
    with pytest.raises(ConfigurationError, match=r"no checkpoint .*nowhere\.pt"):
        train(tmp_path, checkpoint=tmp_path / "nowhere.pt")
    many = {"agent.algorithm.num_mini_batches": 65}
    with pytest.raises(
        ConfigurationError, match=r"65, and a rollout of 8 robots .* 64 samples: at most 64 minibatches"
    ):
        training.train(
            configuration.load(FLAT, SMALL | many, num_envs=8, seed=5),
            iterations=1,
            log_dir=tmp_path,
            on_iteration=lambda *_: None,
        )
    config = configuration.load(FLAT, SMALL, num_envs=8, seed=5)
    with pytest.raises(ConfigurationError, match="is too short"):
        evaluation.evaluate(config, Path(__file__), num_envs=4, seconds=1.0)


def test_an_evaluation_holds_what_a_result_needs(trained: tuple[TrainingOutcome, Recorder]) -> None:
    outcome, _ = trained
    config = configuration.load(FLAT, SMALL, num_envs=8, seed=5)
    shares: list[float] = []
    result = evaluation.evaluate(config, outcome.checkpoint, num_envs=20, seconds=1.5, on_progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert result["protocol"] == evaluation.PROTOCOL.describe()
    assert result["num_envs"] == 20
    assert result["seed"] == 5
    assert result["device"] == "cpu"
    # The commands' mean speeds bound what a policy that does next to nothing can get wrong.
    assert 0.05 < result["error_vel_xy"] < 1.5
    assert result["error_vel_xy_legacy"] == 2 * result["error_vel_xy"]
    assert 0.0 < result["error_vel_xy_standard_error"] < 1.0
    assert 0.0 <= result["time_out"] <= 1.0
    assert "terrain_level" not in result
    assert {entry["robots"] for entry in result["per_command"].values()} == {2}
    assert result["per_command"]["straight fast"]["error_vel_xy"] > result["per_command"]["standing"]["error_vel_xy"]


def test_a_run_cannot_change_what_it_is_judged_by(trained: tuple[TrainingOutcome, Recorder]) -> None:
    outcome, _ = trained
    easy = {
        "env.commands.base_velocity.ranges.lin_vel_x": [0.0, 0.0],
        "env.commands.base_velocity.ranges.lin_vel_y": [0.0, 0.0],
        "env.terminations.base_contact": None,
        "env.rewards.feet_air_time": None,
        "env.events.reset_base.params.velocity_range.x": [0.0, 0.0],
        "env.observations.policy.enable_corruption": False,
    }
    recorder = ReplayRecorder()
    results = [
        evaluation.evaluate(
            configuration.load(FLAT, {**SMALL, **overrides}, num_envs=8, seed=5),
            outcome.checkpoint,
            num_envs=4,
            seconds=1.2,
            recorder=watching,
        )
        for overrides, watching in (({}, None), (easy, recorder))
    ]
    assert results[0] == results[1]
    recorded = recorder.document()["robots"]
    assert [robot["command"] for robot in recorded] == list(dict.fromkeys(robot["command"] for robot in recorded))
    assert (len(recorded), recorded[0]["terrain"], recorded[0]["ground"]) == (8, "", None)
    # Fewer robots than commands: three rollouts of four robots cover them all.
    assert sum(entry["robots"] for entry in results[0]["per_command"].values()) == 12


@pytest.mark.slow
def test_the_quick_task_is_learnt_on_a_processor(tmp_path: Path) -> None:
    config = configuration.load("Wavebook-Velocity-Quick-DHAV1", num_envs=256, seed=0)
    errors: list[float] = []
    outcome = training.train(
        config,
        iterations=120,
        log_dir=tmp_path,
        on_iteration=lambda _, metrics: errors.append(metrics["Metrics/error_vel_xy"]),
    )
    # 0.73 m/s at the start and 0.08 m/s after 120 iterations were measured.
    assert sum(errors[:3]) / 3 > 0.5
    assert sum(errors[-5:]) / 5 < 0.25 * sum(errors[:3]) / 3
    # The protocol's commands for it are 0, 0.5 and 1 m/s: a robot that stands, or falls at once, is off by 0.5 m/s on
    # average. Judged is the policy without the noise that it trained with: 0.08 to 0.29 m/s were measured.
    result = evaluation.evaluate(config, outcome.checkpoint, num_envs=30, seconds=4.0)
    assert set(result["per_command"]) == {"standing", "straight", "straight fast"}
    assert result["error_vel_xy"] < 0.7 * 0.5
