"""A training that was interrupted and goes on in a fresh process, beside one that was not; on CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wavebook_locomotion import checkpoints, training
from wavebook_locomotion.errors import ConfigurationError

ROUGH = "Wavebook-Velocity-Rough-DHAV1"
SMALL: dict[str, Any] = {
    "agent.actor.hidden_dims": [16],
    "agent.critic.hidden_dims": [16],
    "agent.num_steps_per_env": 8,
    "agent.save_interval": 2,
    "env.episode_length_s": 1.0,
}

IN_A_PROCESS = """
import json, sys
from pathlib import Path
import torch
from wavebook_locomotion import configuration, learner, state, training
asked = json.loads(sys.argv[1])
config = configuration.load(asked["task"], asked["overrides"], num_envs=8, seed=5)
seen = []
resume = learner.MeasuredRunner.resume
def resume_and_keep(self, checkpoint):
    resume(self, checkpoint)
    env = self.env.unwrapped
    torch.save(state.capture(env, self, 0.0), asked["folder"] + "/at_resume.pt")
learner.MeasuredRunner.resume = resume_and_keep
outcome = training.train(config, iterations=asked["iterations"], log_dir=Path(asked["folder"]),
    on_iteration=lambda number, values: seen.append([number, values]),
    checkpoint=Path(asked["checkpoint"]) if asked["checkpoint"] else None)
Path(asked["folder"], "seen.json").write_text(json.dumps([seen, str(outcome.checkpoint), outcome.train_seconds]))
"""


def train(folder: Path, iterations: int, checkpoint: Path | None = None) -> list[Any]:
    folder.mkdir()
    asked = {
        "task": ROUGH,
        "overrides": SMALL,
        "folder": str(folder),
        "iterations": iterations,
        "checkpoint": str(checkpoint) if checkpoint else None,
    }
    subprocess.run([sys.executable, "-c", IN_A_PROCESS, json.dumps(asked)], check=True)
    return list(json.loads((folder / "seen.json").read_text()))


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool((one == other).all()) if hasattr(one, "shape") else bool(one == other)


@pytest.mark.sim
def test_a_resumed_training_is_the_rest_of_the_interrupted_one(tmp_path: Path) -> None:
    pytest.importorskip("isaaclab")
    import torch

    from wavebook_locomotion import state

    straight, _, _ = train(tmp_path / "straight", 6)
    first, stopped, seconds = train(tmp_path / "first", 3)
    assert [number for number, _ in first] == [0, 1, 2]
    rest, last, all_seconds = train(tmp_path / "rest", 6, Path(stopped))
    assert [number for number, _ in rest] == [3, 4, 5]
    assert Path(last) == tmp_path / "rest" / "model_5.pt"
    assert all_seconds > seconds

    before, after = state.load(tmp_path / "first" / "state_2.pt"), state.load(tmp_path / "rest" / "at_resume.pt")
    assert after["iteration"] == 3
    for name in ("terrain", "episode_lengths", "observations", "managers", "logger", "random", "counters"):
        assert same(after[name], before[name]), name
    assert after["learning_rate"] == before["learning_rate"]
    torch.testing.assert_close(after["robot"], before["robot"], rtol=0, atol=1e-5)
    assert before["managers"]["command.base_velocity"]["vel_command_b"].abs().sum() > 0
    assert before["managers"]["rewards"]["sum.all"].abs().sum() > 0

    # The adaptive schedule goes on where it was, not at the configuration's value.
    assert dict(first)[2]["Loss/learning_rate"] == before["learning_rate"]
    # Up to the interruption the two trainings are the same one; after it only contacts differ.
    for (_, one), (_, other) in zip(straight[:3], first, strict=True):
        assert one["Metrics/error_vel_xy"] == other["Metrics/error_vel_xy"]
    assert rest[0][1]["Metrics/error_vel_xy"] == pytest.approx(straight[3][1]["Metrics/error_vel_xy"], rel=0.15)


def whole(folder: Path, *iterations: int) -> None:
    for number in iterations:
        (folder / f"model_{number}.pt").write_text(f"model {number}")
        (folder / f"state_{number}.pt").write_text(f"state {number}")


def test_only_a_whole_checkpoint_is_chosen(tmp_path: Path) -> None:
    assert training.newest_checkpoint(tmp_path) is None
    whole(tmp_path, 9, 100, 20)
    (tmp_path / "model_200.pt").write_text("the process was killed before it wrote the state")
    (tmp_path / ".state_200.pt.unfinished").write_text("half")
    assert training.newest_checkpoint(tmp_path) == tmp_path / "model_100.pt"


def test_the_newest_are_kept_and_the_rest_removed_with_every_ranks_state(tmp_path: Path) -> None:
    whole(tmp_path, 0, 100, 200, 300)
    (tmp_path / "state_0.rank1.pt").write_text("state")
    (tmp_path / "state_300.rank1.pt").write_text("state")
    checkpoints.drop_old(tmp_path / "model_300.pt", keep=2)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"model_200.pt", "state_200.pt", "model_300.pt", "state_300.pt", "state_300.rank1.pt"}


def test_what_another_training_left_with_higher_numbers_does_not_cost_the_new_one(tmp_path: Path) -> None:
    whole(tmp_path, 0, 100, 1900, 1999)
    checkpoints.drop_old(tmp_path / "model_100.pt", keep=1)
    assert {path.name for path in tmp_path.glob("model_*.pt")} == {"model_100.pt", "model_1900.pt", "model_1999.pt"}


def test_a_state_that_does_not_fit_names_what(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from wavebook_locomotion import state

    wanted = {"rewards": {"sum.a": torch.zeros(4), "sum.b": torch.zeros(4)}}
    with pytest.raises(ConfigurationError, match=r"rewards/sum.a has shape \[2\], not \[4\]; rewards/sum.b is missing"):
        state._fitting({"rewards": {"sum.a": torch.zeros(2)}}, wanted)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    whole(tmp_path, 1)

    def full_disk(target: Path) -> None:
        target.write_text("half")
        raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space"):
        checkpoints.write_whole(tmp_path / "model_1.pt", full_disk)
    assert (tmp_path / "model_1.pt").read_text() == "model 1"
    assert {path.name for path in tmp_path.iterdir()} == {"model_1.pt", "state_1.pt"}
