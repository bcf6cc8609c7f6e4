"""Code overrides in the queue: nothing of them gets a device before its preflight has passed."""

from __future__ import annotations

import json

import pytest

from tests.code_terms import PITCH_RATE
from tests.jobs.conftest import EVALUATION, PARAMETERS, TRAINING, small_plan
from tests.jobs.conftest import notebook_template as template
from wavebook_tools.jobs.preflight import TEMPLATE, digest, path_of, try_code
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.code import CodeOverride
from wavebook_tools.records.project import Project

QUIET = "def quiet(env):\n    return env.step_dt\n"
"""A term that imports nothing, so that its cell runs without a simulator."""


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """A project whose templates declare code, and whose cells bring a stand-in for the simulator's side."""
    import nbformat

    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    project = Project.create(tmp_path / "project")
    folder = project.root / "templates"
    folder.mkdir()
    for name, cells in (("quick", (TRAINING, EVALUATION)), (TEMPLATE, ("assert [t.name for t in code] == ['quiet']",))):
        notebook = template(*cells)
        notebook.cells[1].source = f"{PARAMETERS}code = []\n"
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return project


def plan(**code):
    made = small_plan()
    override = CodeOverride(**({"name": "quiet", "source": QUIET, "weight": 1.0} | code))
    return made.model_copy(update={"experiments": [made.experiments[0].model_copy(update={"code": [override]})]})


def test_a_run_gets_its_device_after_the_preflight_has_passed(project):
    with Queue(project) as queue:
        (run,) = queue.submit_wave(plan())
        assert queue.wait([run], timeout=240)
        row = queue.store.get(run)
    record = project.run(run)
    assert row.state == "done", row.message
    document = json.loads(path_of(record.path.parent).read_text())
    assert document["passed"]
    (told,) = [d for d in project.ledger.read() if d.what == "preflight passed"]
    assert told.actor == "watchdog"
    first = next(event for event in record.events() if event["kind"] == "state")
    assert first["t"] > told.t  # the run's supervisor started after the preflight had ended
    source = "".join(str(cell["source"]) for cell in json.loads(record.notebook_path.read_text())["cells"])
    assert "def quiet(env):" in source.replace('", "', "")


def test_a_run_whose_preflight_fails_never_starts(project):
    import nbformat

    path = project.root / "templates" / f"{TEMPLATE}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = "raise ValueError('quiet returned shape [2, 1]')"
    nbformat.write(notebook, path)
    with Queue(project) as queue:
        (run,) = queue.submit_wave(plan())
        assert queue.wait([run], timeout=240)
        row = queue.store.get(run)
    assert row.state == "failed"
    assert "its code failed the preflight: ValueError: quiet returned shape" in row.message
    assert row.device is None
    assert row.native is None
    assert not project.run(run).log_path.exists()
    assert next(d.what for d in project.ledger.read() if d.actor == "watchdog") == "preflight failed"


def test_a_preflight_answers_for_one_source_and_configuration_alone(project):
    first = {"task": "t", "overrides": {}, "code": [PITCH_RATE]}
    assert digest(first) != digest(first | {"overrides": {"a": 1}})
    assert digest(first) != digest(first | {"code": [PITCH_RATE | {"source": "other"}]})
    assert digest({"task": "t", "code": []}) is None


def test_a_preflight_that_takes_too_long_is_given_up(project, monkeypatch):
    import nbformat

    monkeypatch.setattr(Queue, "ensure_dispatcher", lambda self: None)
    path = project.root / "templates" / f"{TEMPLATE}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = "import time\ntime.sleep(600)"
    nbformat.write(notebook, path)
    with Queue(project) as queue:
        (run,) = queue.submit_wave(plan())
    outcome = try_code(project.run(run), longest=3)
    assert not outcome.passed
    assert "took longer than 0.05 minutes" in outcome.message
