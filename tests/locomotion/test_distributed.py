"""Two ranks on the CPU that train the quick task for real."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wavebook_locomotion import configuration, distributed, training
from wavebook_locomotion.errors import ConfigurationError

QUICK = "Wavebook-Velocity-Quick-DHAV1"
SMALL: dict[str, Any] = {
    "agent.actor.hidden_dims": [16],
    "agent.critic.hidden_dims": [16],
    "agent.num_steps_per_env": 8,
    "env.episode_length_s": 1.0,
}


def train(folder: Path, **more: Any) -> tuple[training.TrainingOutcome, list[Any], list[str]]:
    pytest.importorskip("isaaclab")
    seen: list[Any] = []
    phases: list[str] = []
    config = configuration.load(QUICK, SMALL, num_envs=8, seed=5)
    outcome = training.train(
        config,
        log_dir=folder,
        on_iteration=lambda number, values: seen.append((number, values)),
        on_phase=phases.append,
        devices=2,
        **more,
    )
    return outcome, seen, phases


@pytest.mark.sim
def test_two_ranks_train_one_policy_and_go_on_from_their_states(tmp_path: Path) -> None:
    outcome, seen, phases = train(tmp_path / "first", iterations=2)
    assert phases == ["starting", "compiling", "training"]
    assert [number for number, _ in seen] == [0, 1]
    assert outcome.environment_steps == 2 * 8 * 8
    assert outcome.checkpoint == tmp_path / "first" / "model_1.pt"

    from wavebook_locomotion import state

    one, other = (state.load(tmp_path / "first" / name) for name in ("state_1.pt", "state_1.rank1.pt"))
    assert one["num_envs"] == other["num_envs"] == 4
    assert one["learning_rate"] == other["learning_rate"]
    # Each rank has robots of its own.
    assert not (one["robot"]["joint_pos"] == other["robot"]["joint_pos"]).all()

    resumed, rest, _ = train(tmp_path / "second", iterations=3, checkpoint=outcome.checkpoint)
    assert [number for number, _ in rest] == [2]
    assert resumed.checkpoint.name == "model_2.pt"
    assert (tmp_path / "second" / "state_2.rank1.pt").is_file()


@pytest.mark.sim
def test_an_interruption_ends_the_ranks(tmp_path: Path) -> None:
    pytest.importorskip("isaaclab")
    config = configuration.load(QUICK, SMALL, num_envs=8, seed=5)
    # Servers of earlier tests may still be running: they are children of this process too.
    before = descendants(os.getpid())
    children: set[int] = set()

    def interrupt(phase: str) -> None:
        children.update(descendants(os.getpid()) - before)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(
            config,
            iterations=2,
            log_dir=tmp_path,
            on_iteration=lambda *_: None,
            on_phase=interrupt,
            devices=2,
        )
    assert len(children) >= 3  # torchrun and its ranks
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


@pytest.mark.sim
def test_a_rank_that_fails_shows_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "model_0.pt").write_text("no checkpoint")
    (tmp_path / "state_0.pt").write_text("no state")
    with pytest.raises(distributed.RankError, match=r"(?s)rank \d of the training failed.*ConfigurationError.*state_0"):
        train(tmp_path, iterations=2, checkpoint=tmp_path / "model_0.pt")


def test_environments_are_shared_out_evenly() -> None:
    assert distributed.share_of(4096, 2) == 2048
    with pytest.raises(ConfigurationError, match=r"101 environments .* 4 devices; choose 100 or 104"):
        distributed.share_of(101, 4)


def test_scalars_are_means_of_the_ranks_that_have_them_and_resets_are_summed() -> None:
    pytest.importorskip("rsl_rl")
    from wavebook_locomotion.iteration_log import mean_of_ranks

    merged = mean_of_ranks([{"a": 1.0, "Guard/resets": 2.0}, {"a": 3.0, "b": 5.0, "Guard/resets": 1.0}])
    assert merged == {"a": 2.0, "b": 5.0, "Guard/resets": 3.0}


def descendants(pid: int) -> set[int]:
    psutil = pytest.importorskip("psutil")
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}
