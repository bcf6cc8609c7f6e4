"""A ported term in whole: proposed as code, approved, tried on two environments, trained and evaluated; one that cannot
train never gets a device."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("isaaclab")

from tests.code_terms import PITCH_RATE, WRONG_SHAPE
from wavebook.agent.approvals import Approvals
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.plan import ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_term_in_source_trains_and_a_wrong_one_gets_no_device(tmp_path):
    project = Project.create(tmp_path / "project")
    plan = WavePlan(
        id=1,
        slug="port",
        goal="Port a penalty on pitching",
        task="Wavebook-Velocity-Flat-DHAV1",
        num_envs=4,
        iterations=2,
        devices=["cpu"],
        evaluation={"num_envs": 2, "seconds": 1.1},
        experiments=[
            ExperimentSpec(id="exp001", slug="pitch-rate", hypothesis="It calms the base.", code=[PITCH_RATE]),
            ExperimentSpec(id="exp002", slug="too-wide", hypothesis="It has a wrong shape.", code=[WRONG_SHAPE]),
        ],
    )
    approvals = Approvals(project)
    approvals.decide(approvals.propose(plan).id, "approve", "ada")
    with Queue(project) as queue:
        assert queue.wait(["exp001/s0", "exp002/s0"], timeout=1700)
        good, wrong = queue.store.get("exp001/s0"), queue.store.get("exp002/s0")
    assert good.state == "done", good.message
    record = project.run("exp001/s0")
    cells = [cell for cell in json.loads(record.notebook_path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert any("wavebook-code" in cell["metadata"].get("tags", []) for cell in cells)
    # The table of what is rewarded, made from the configuration that trained.
    assert any("pitch_rate" in json.dumps(cell["outputs"]) for cell in cells)
    assert wrong.state == "failed"
    assert "too_wide returned shape [2, 1]" in wrong.message
    assert wrong.device is None
