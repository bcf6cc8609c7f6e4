"""The database is an index: it comes back from the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs.conftest import small_plan
from tests.projects import Drawn, draw_wave
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.index import rebuild
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import Project


def test_a_damaged_database_is_set_aside_and_rebuilt(project: Project) -> None:
    with Queue(project) as queue:
        assert queue.wait(queue.submit_wave(small_plan()), timeout=60)
        before = project_status(project)["waves"][0]["runs"][0]
    for path in project.state_path.glob("wavebook.db*"):
        path.unlink()
    project.database_path.write_bytes(b"SQLite format 3\0 but no more than that" * 100)
    with pytest.raises(WavebookError, match="wavebook reindex"):
        project_status(project)
    assert rebuild(project) == 1
    after = project_status(project)["waves"][0]["runs"][0]
    for key in ("id", "state", "iteration", "metrics", "notebook"):
        assert after[key] == before[key]
    assert len(list(project.state_path.glob("wavebook-damaged-*.db"))) == 1


def test_a_device_of_another_machine_has_the_name_that_the_result_tells(tmp_path: Path) -> None:
    project = draw_wave(tmp_path, [Drawn("elsewhere", {0: 0.3, 1: "failed"})])
    for record in project.runs():
        start = {"t": 1.0, "kind": "state", "state": "starting", "device": "GPU-419015cd-0480"}
        record.events_path.write_text(f"{json.dumps(start)}\n{record.events_path.read_text()}")
    finished = project.run("exp001/s0")
    result = finished.result()
    assert result is not None
    write_json(finished.result_path, result.model_copy(update={"device_name": "NVIDIA H200"}))
    rebuild(project)
    runs = project_status(project)["waves"][0]["runs"]
    assert [(run["device"], run["device_name"]) for run in runs] == [
        ("GPU-419015cd-0480", "NVIDIA H200"),
        ("GPU-419015cd-0480", None),
    ]


def test_a_damaged_spec_is_named_and_the_rest_is_indexed(project: Project) -> None:
    draw_wave(project.root, [Drawn("first", {0: 0.1, 1: 0.2})], iterations=3)
    project.run("exp001/s1").spec_path.write_text("{}")
    with pytest.raises(WavebookError, match=r"s1/spec\.json is damaged"):
        rebuild(project)
    assert [run["id"] for run in project_status(project)["waves"][0]["runs"]] == ["exp001/s0"]
