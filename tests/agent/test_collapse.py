"""A direction that collapses three times is given up, with its evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.projects import Drawn, draw_wave
from wavebook.agent.branches import closed_branches, reopen
from wavebook.agent.collapse import close_collapsed
from wavebook.agent.offline import OfflinePlanner
from wavebook_tools.records.project import Project

ROUGH = "Wavebook-Velocity-Rough-DHAV1"
SCALE = "env.actions.joint_pos.scale"
ENTROPY = "agent.algorithm.entropy_coef"


def draw(root: Path, levels: list[float], *, iterations: int = 300) -> Project:
    """A wave on rough ground: a baseline that climbs, and runs with another action scale that reach these levels."""
    project = draw_wave(
        root,
        [
            Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True),
            Drawn("scale", dict.fromkeys(range(len(levels)), 0.6), {SCALE: 0.5}),
            Drawn("entropy", {0: 0.3}, {ENTROPY: 0.02}),
        ],
        **{"task": ROUGH, "rough": True, "iterations": iterations},
    )
    for seed, level in enumerate(levels):
        path = project.run(f"exp002/s{seed}").result_path
        path.write_text(json.dumps({**json.loads(path.read_text()), "terrain_level": level}))
    return project


def test_three_collapsed_runs_close_the_branch_once_with_their_names(tmp_path):
    project = draw(tmp_path, [0.0, 0.02, 0.0])
    plan = OfflinePlanner(project).propose("get further on rough ground, 8 experiments")
    assert list(closed_branches(project)) == [SCALE]
    (decision,) = [d for d in project.ledger.read() if d.what == "close branch"]
    assert (decision.actor, decision.name) == ("agent", "offline")
    assert decision.refs["evidence"] == ["exp002/s0", "exp002/s1", "exp002/s2"]
    assert not any(SCALE in experiment.overrides for experiment in plan.experiments)
    assert f"The branch {SCALE} is closed" in plan.rationale
    reopen(project, "claude-test", SCALE, "A gentler start may help.")
    assert close_collapsed(project, "offline") == []  # the same failures count once


@pytest.mark.parametrize(
    ("levels", "iterations"), [([0.0, 0.0], 300), ([0.0, 0.0, 0.0, 0.8], 300), ([0.0, 0.0, 0.0], 60)]
)
def test_few_failures_a_success_or_short_runs_close_nothing(levels, iterations, tmp_path):
    project = draw(tmp_path, levels, iterations=iterations)
    assert close_collapsed(project, "offline") == []
