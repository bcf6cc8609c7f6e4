"""The Ray engine against a real cluster of two nodes, with a small program in the supervisor's place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.engines.program import Jobs
from tests.jobs.engines.ray_cluster import GIVE_UP, RayCluster
from tests.jobs.engines.slurm_cluster import wait_until
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.engines.base import EngineState
from wavebook_tools.jobs.engines.ray import RayEngine
from wavebook_tools.records.engine_settings import RaySettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def jobs(ray: RayCluster, tmp_path: Path) -> Iterator[Jobs]:
    jobs = Jobs(RayEngine(RaySettings(address=ray.address)), tmp_path, {"WAVEBOOK_GIVEN": "with spaces; and $more"})
    yield jobs
    jobs.close()


def test_a_run_gets_its_arguments_untouched_and_writes_into_its_folder(jobs: Jobs) -> None:
    arguments = ["--patience", '{"a": "b c"}', "$(touch hit)", "`id`", "a;b", "*", "", "é"]
    job = jobs.submit(*arguments).started()
    (event,) = job.events()
    assert event["arguments"] == arguments
    assert event["folder"] == str(job.folder)
    assert event["devices"] in {"0", "1", "2", "3"}
    assert event["given"] is None, "only what is Wavebook's own is handed on"
    report = jobs.engine.poll([job.id])[job.id]
    assert report.state is EngineState.RUNNING
    assert len(report.devices) == 1, "the node"
    (job.folder / "go").touch()
    job.ended()
    assert "SUCCEEDED" in str(job.message)
    assert (job.folder / "log.txt").read_text() == "kept\nstarted\n"
    assert not list(job.folder.parent.rglob("hit"))


def test_a_cancelled_run_may_save_before_it_ends(jobs: Jobs) -> None:
    job = jobs.submit().started()
    jobs.engine.cancel(job.id)
    job.ended()
    assert job.events()[-1]["state"] == "ended"
    jobs.engine.cancel(job.id)  # one that has ended is fine


def test_runs_fill_both_nodes_and_one_waits_longer_than_ray_lets_it(jobs: Jobs) -> None:
    running = [jobs.submit().started() for _ in range(4)]
    assert sorted(str(job.events()[0]["devices"]) for job in running) == ["0", "1", "2", "3"]
    waiting = jobs.submit()
    again = "submitted again"
    wait_until(lambda: again in str(waiting.message), 4 * GIVE_UP, lambda: str(waiting.message))
    assert waiting.state is EngineState.PENDING
    (running[0].folder / "go").touch()
    waiting.started()
    assert waiting.events()[0]["devices"] == running[0].events()[0]["devices"]


def test_a_waiting_run_that_is_cancelled_has_ended_and_never_starts(jobs: Jobs) -> None:
    running = [jobs.submit(gpus=2).started() for _ in range(2)]
    waiting = jobs.submit()
    wait_until(lambda: "waits in Ray" in str(waiting.message), 20, lambda: str(waiting.message))
    (waiting.folder / "cancel.json").write_text("{}")
    jobs.engine.cancel(waiting.id)
    waiting.ended()
    (running[0].folder / "go").touch()
    known = jobs.engine._call  # type: ignore[attr-defined]
    wait_until(lambda: known("GET", waiting.id)["status"] in {"SUCCEEDED", "FAILED", "STOPPED"}, 60)
    assert not waiting.events()
    assert waiting.state is EngineState.ENDED


def test_a_run_on_the_cpu_sees_no_device(jobs: Jobs) -> None:
    job = jobs.submit(gpus=0, devices=("cpu",)).started()
    assert job.events()[0]["devices"] == ""


def test_a_run_whose_node_dies_has_ended_with_the_reason(jobs: Jobs, ray: RayCluster) -> None:
    first, second = (jobs.submit(gpus=2).started() for _ in range(2))
    lost = first if first.events()[0]["devices"] == "2,3" else second
    ray.end(1)
    try:
        lost.ended(90)
        assert "died" in str(lost.message)
        assert {first.state, second.state} == {EngineState.RUNNING, EngineState.ENDED}
    finally:
        ray.start_second()


def test_devices_cannot_be_chosen(jobs: Jobs) -> None:
    with pytest.raises(UsageError, match="cannot be chosen on Ray"):
        jobs.submit(devices=("GPU-aaaa",))


def test_without_the_right_token_the_message_names_its_variable(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", "wrong")
        with pytest.raises(WavebookError, match=r"refused the token in .*RAY_AUTH_TOKEN"):
            jobs.engine.poll(["any"])
        patch.delenv("RAY_AUTH_TOKEN")
        with pytest.raises(WavebookError, match=r"wants a token, .*RAY_AUTH_TOKEN"):
            jobs.engine.poll(["any"])
    assert "RAY_AUTH_TOKEN" in os.environ
    assert jobs.engine.poll(["forgotten"])["forgotten"].state is EngineState.ENDED
