"""What a training reports and when it stops, without a simulator: beside rsl_rl's own, and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rsl_rl")

import torch
from rsl_rl.utils.logger import Logger

from wavebook_locomotion.iteration_log import IterationLogger, MetricWriter, mean_by_name

NUM_ENVS, STEPS = 16, 24
CONFIG: dict[str, Any] = {
    "logger": {"class_name": "wavebook_locomotion.iteration_log:MetricWriter"},
    "num_steps_per_env": STEPS,
    "algorithm": {},
}


class Nothing:
    """Stands for the environment's view, which measures the tracking error."""

    def take_measurements(self) -> dict[str, float]:
        return {}


def logger(folder: Path, seen: list[dict[str, float]] | None = None) -> Logger:
    made = Logger(str(folder), CONFIG, {}, NUM_ENVS, False, 1, 0, "cpu")
    made.git_status_repos = []
    if seen is not None:
        made.__class__ = IterationLogger
        made.on_iteration = lambda _, values: seen.append(values)
        made.env, made.rank, made.ended = Nothing(), 0, []
    made.init_logging_writer()
    return made


def test_it_reports_what_rsl_rl_reports(tmp_path: Path) -> None:
    torch.manual_seed(0)
    seen: list[dict[str, float]] = []
    theirs, ours = logger(tmp_path), logger(tmp_path, seen)
    for iteration in range(3):
        for step in range(STEPS):
            rewards, dones = torch.randn(NUM_ENVS), (torch.rand(NUM_ENVS) < 0.1).long()
            log = {"Episode_Reward/a": torch.randn(()), "Curriculum/level": torch.randn(1), "number": float(step)}
            # Not every step ends an episode, and not every record has every value.
            extras = {} if step % 3 else {"log": log if step % 2 else {"number": 1.0}}
            for one in (theirs, ours):
                one.process_env_step(rewards, dones, {name: dict(value) for name, value in extras.items()})
        told = {"loss_dict": {"value": 0.5}, "learning_rate": 0.1, "action_std": torch.ones(3), "rnd_weight": None}
        for one in (theirs, ours):
            one.log(it=iteration, start_it=0, total_it=3, collect_time=1.0, learn_time=0.5, **told)
        assert isinstance(theirs.writer, MetricWriter)
        assert seen[iteration] == pytest.approx(theirs.writer.take(), rel=1e-6)
        assert {"Episode_Reward/a", "Episode/number", "Train/mean_reward"} <= set(seen[iteration])
        assert list(ours.rewbuffer) == list(theirs.rewbuffer)
        assert list(ours.lenbuffer) == list(theirs.lenbuffer)


def test_means_are_over_the_records_that_have_a_value() -> None:
    logs = [{"a": torch.tensor(1.0), "b": 3.0}, {"a": torch.tensor([2.0, 6.0])}]
    assert mean_by_name(logs, "cpu") == {"a": pytest.approx(3.0), "b": pytest.approx(3.0)}
    assert mean_by_name([], "cpu") == {}
