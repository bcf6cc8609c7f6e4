"""Metrics, policies and simulations that are not numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import MakeRun, WatchedRun


def write_broken(folder: Path, count: int, **arrays: Any) -> None:
    """Records as the guard writes them (locomotion's GuardedRLEnv)."""
    broken = folder / "checkpoints" / "broken"
    broken.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        np.savez(
            broken / f"broken-{index:03d}.npz",
            after_root_position=np.full(3, np.nan),
            terrain_column=np.array(6 + index % 2),
            terrain_level=np.array(4),
            step=np.array(240 + index),
            **{"reasons": np.array([True, index % 2 == 0, False, False]), **arrays},
        )


def test_a_loss_that_stays_broken_ends_the_run(run: WatchedRun) -> None:
    run.train(5)
    assert run.train(Loss__value=float("nan")) == []  # EventWriter writes it as null
    (finding,) = run.train(Loss__value=float("inf"))
    assert finding.kind == "not a number"
    assert finding.ends_run
    assert finding.evidence["last_good_iteration"] == 4
    assert finding.evidence["metrics"] == ["Loss/value"]
    assert finding.suggestion is not None
    assert finding.suggestion.action == "lower_learning_rate"


def test_a_mean_over_episodes_that_is_broken_once_is_told_once_and_ends_nothing(run: WatchedRun) -> None:
    run.train(5)
    (finding,) = run.train(Train__mean_reward=float("nan"))
    assert not finding.ends_run
    assert run.train(20, Train__mean_reward=lambda i: float("nan") if i % 2 else 1.0) == []


def test_robots_that_the_guard_reset_are_told_once_with_their_terrain(run: WatchedRun) -> None:
    run.train(3)
    write_broken(run.folder, 4)
    (finding,) = run.train(3, Guard__resets=lambda i: float(i))
    assert not finding.ends_run
    assert finding.evidence["broken"] == 4
    assert finding.evidence["reasons"] == {"not finite": 4, "joint speed": 2}
    assert finding.evidence["terrain_columns"] == {"6": 2, "7": 2}
    assert finding.evidence["terrain_levels"] == {"4": 4}
    assert finding.evidence["first_step"] == 240
    assert finding.suggestion is not None
    assert finding.suggestion.num_envs == 2048


@pytest.mark.parametrize(("reason", "action"), [(0, "fewer_envs"), (1, "lower_learning_rate")])
def test_a_learner_that_threw_robots_about_is_to_step_less(make_run: MakeRun, reason: int, action: str) -> None:
    """Half the robots mend no learner; robots whose values are no numbers were broken by the simulation."""
    run = make_run({"num_envs": 8, "overrides": {"agent.algorithm.learning_rate": 0.3}})
    run.train(1)
    write_broken(run.folder, 2, reasons=np.arange(4) == reason)
    finding = run.explain("cell 10: RuntimeError: normal expects all elements of std >= 0.0")
    assert finding is not None
    assert finding.suggestion is not None
    assert finding.suggestion.action == action
    assert finding.suggestion.num_envs == (4 if action == "fewer_envs" else None)
    calmer = {"agent.algorithm.learning_rate": pytest.approx(0.1)}
    assert finding.suggestion.overrides == (calmer if action == "lower_learning_rate" else {})


def test_a_terrain_that_most_broken_robots_stood_on_is_to_be_excluded(run: WatchedRun) -> None:
    run.train(3)
    write_broken(run.folder, 5, terrain=np.array("boxes"), environment=np.array(17))
    (finding,) = run.train(Guard__resets=5.0)
    assert finding.suggestion is not None
    assert finding.suggestion.action == "exclude_terrain"
    assert finding.suggestion.overrides == {"env.scene.terrain.terrain_generator.sub_terrains.boxes.proportion": 0.0}
    assert finding.evidence["environments"] == [17]
    assert "on boxes 5; levels 4; environments 17" in finding.message


def test_records_that_cannot_be_read_are_passed_over(run: WatchedRun) -> None:
    write_broken(run.folder, 2)
    folder = run.folder / "checkpoints" / "broken"
    (folder / "broken-900.npz").write_bytes(b"PK\x03\x04 cut short")
    np.savez(folder / "broken-901.npz", reasons=np.array([object()]), step=np.array([]))
    np.savez_compressed(folder / "broken-902.npz", reasons=np.zeros(30_000_000, dtype=bool))  # small on disk alone
    (folder / "broken-903.npz").symlink_to("/dev/zero")
    (finding,) = run.train(Guard__resets=2.0)
    assert finding.evidence["broken"] == 2


def _torch_error() -> str:
    torch = pytest.importorskip("torch", reason="the simulator's packages are not installed")
    try:
        torch.normal(torch.zeros(2), torch.full((2,), float("nan")))
    except RuntimeError as error:
        return f"RuntimeError: {error}"
    raise AssertionError("torch took a deviation that is not a number")


def _rsl_rl_error() -> str:
    torch = pytest.importorskip("torch", reason="the simulator's packages are not installed")
    rsl_rl = pytest.importorskip("rsl_rl.utils", reason="the simulator's packages are not installed")
    try:
        rsl_rl.check_nan({"policy": torch.full((2, 3), float("nan"))}, torch.zeros(2), torch.zeros(2))
    except ValueError as error:
        return f"ValueError: {error}"
    raise AssertionError("rsl_rl took observations that are not numbers")


def _distribution_error() -> str:
    torch = pytest.importorskip("torch", reason="the simulator's packages are not installed")
    try:
        torch.distributions.Normal(torch.full((2,), float("nan")), torch.ones(2), validate_args=True)
    except ValueError as error:
        return f"ValueError: {error}"
    raise AssertionError("torch took a mean that is not a number")


@pytest.mark.parametrize("error", [_torch_error, _rsl_rl_error, _distribution_error])
def test_the_errors_of_torch_and_rsl_rl_explain_a_failure(run: WatchedRun, error: Any) -> None:
    run.train(12)
    finding = run.explain(f"cell 10: {error()}")
    assert finding is not None
    assert finding.kind == "not a number"
    assert finding.evidence["last_good_iteration"] == 11
