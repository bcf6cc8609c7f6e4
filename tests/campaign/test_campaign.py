"""The plans of the GPU campaign fit the tasks, and its processes find Wavebook in a checkout."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wavebook_tools.records.plan import WavePlan
from wavebook_tools.tasks import check_plan

CAMPAIGN = Path(__file__).parents[2] / "campaign"
PLANS = sorted(CAMPAIGN.glob("plans/*.json"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_plan_can_be_run(path: Path) -> None:
    plan = WavePlan.model_validate_json(path.read_text(encoding="utf-8"))
    check_plan(plan)
    assert plan.slug == path.stem
    assert plan.num_envs == 4096
    # What a run is judged on is what it trained on.
    assert plan.evaluation.terrain_set == plan.overrides.get("env.terrain_set")


def test_a_checkout_stands_for_an_installation(tmp_path: Path) -> None:
    script = (
        "import importlib.metadata as metadata, json, sys; sys.path.insert(0, sys.argv[1]); import checkout, pathlib;"
        "none = metadata.PackageNotFoundError('wavebook');"
        "metadata.distribution = lambda name: (_ for _ in ()).throw(none);"
        "print(json.dumps(checkout.environment(pathlib.Path(sys.argv[2]))['PYTHONPATH']))"
    )
    command = [sys.executable, "-c", script, str(CAMPAIGN), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "mine"})
    folders = json.loads(done.stdout).split(os.pathsep)
    assert folders[0] == str(tmp_path)
    assert folders[-1] == "mine"
    assert (Path(folders[1]) / "wavebook").is_dir()
    assert (Path(folders[2]) / "wavebook_tools").is_dir()
    (found,) = importlib.metadata.distributions(path=[str(tmp_path)])
    declared = {(point.group, point.name): point.value for point in found.entry_points}
    installed = importlib.metadata.distribution("wavebook").entry_points
    expected = {(p.group, p.name): p.value for p in installed if p.group != "console_scripts"}
    assert declared == expected
