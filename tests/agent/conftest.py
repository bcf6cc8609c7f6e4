"""A project whose waves stay in the queue, and plans for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavebook.agent.approvals import Approvals
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.plan import ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project

TASK = "Wavebook-Velocity-Flat-DHAV1"
WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"


class WaitingQueue(Queue):
    """The real queue, only that nothing takes runs out of it: files and rows are written, no process starts."""

    def ensure_dispatcher(self) -> None:
        pass


class Clock:
    """A clock that a test moves [s]."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def approvals(project: Project, clock: Clock) -> Approvals:
    return Approvals(project, queue=WaitingQueue, clock=clock)


@pytest.fixture
def plan() -> WavePlan:
    return a_plan()


def a_plan(wave: int = 1, experiment: int = 1, **fields) -> WavePlan:
    baseline = {"id": f"exp{experiment:03d}", "slug": "baseline", "hypothesis": "It is as it is.", "baseline": True}
    heavier = {"id": f"exp{experiment + 1:03d}", "slug": "heavier", "hypothesis": "It tracks better."}
    return WavePlan(
        **{
            "id": wave,
            "slug": "tracking",
            "goal": "Track better",
            "directive": "track better",
            "task": TASK,
            "num_envs": 2,
            "iterations": 3,
            "planner": "offline",
            "devices": ["cpu"],
            "experiments": [
                ExperimentSpec(**baseline, seeds=[0, 1]),
                ExperimentSpec(**heavier, overrides={WEIGHT: 6.0}),
            ],
            **fields,
        }
    )
