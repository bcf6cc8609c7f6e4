"""The Slurm engine against real daemons, with a small program in the supervisor's place."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.engines.program import Job, Jobs
from tests.jobs.engines.slurm_cluster import SlurmCluster, wait_until
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.engines.base import EngineState
from wavebook_tools.jobs.engines.slurm import SlurmEngine
from wavebook_tools.jobs.engines.unreachable import ClusterUnreachableError
from wavebook_tools.records.engine_settings import SlurmSettings


@pytest.fixture
def jobs(slurm: SlurmCluster, tmp_path: Path) -> Iterator[Jobs]:
    settings = SlurmSettings(cpus=1, devices={f"gpu{number}": f"slot{number}" for number in range(4)})
    jobs = Jobs(SlurmEngine(settings), tmp_path, slurm.environment)
    yield jobs
    jobs.close()


def test_a_run_gets_its_arguments_untouched_and_writes_into_its_folder(jobs: Jobs, slurm: SlurmCluster) -> None:
    arguments = ["--patience", '{"a": "b c"}', "$(touch hit)", "`id`", "a;b", "*", "", "é"]
    job = jobs.submit(*arguments).started()
    (event,) = job.events()
    assert event["arguments"] == arguments
    assert event["given"] == "with spaces; and $more"
    assert event["folder"] == str(job.folder)
    assert event["devices"] in {"0", "1", "2", "3"}
    assert slurm.command("squeue", "--all", "-h", f"--jobs={job.id}", "--format=%j").strip() == "wavebook-exp000-s0"
    report = jobs.engine.poll([job.id])[job.id]
    assert report.state is EngineState.RUNNING
    assert len(report.devices) == 1, "the node"
    (job.folder / "go").touch()
    job.ended()
    assert "COMPLETED" in str(job.message)
    assert (job.folder / "log.txt").read_text() == "kept\nstarted\n"
    assert not list(job.folder.parent.rglob("hit"))


def test_a_cancelled_run_may_save_before_it_ends_and_its_children_get_no_signal(jobs: Jobs) -> None:
    job = jobs.submit().started()
    jobs.engine.cancel(job.id)
    job.ended()
    assert job.events()[1:] == [{"child": None}, {"state": "ended", "signal": signal.SIGTERM}]
    jobs.engine.cancel(job.id)  # one that has ended is fine


def test_runs_fill_the_devices_and_one_more_waits(jobs: Jobs) -> None:
    running = [jobs.submit().started() for _ in range(4)]
    assert sorted(str(job.events()[0]["devices"]) for job in running) == ["0", "1", "2", "3"]
    waiting = jobs.submit()
    wait_until(lambda: "Resources" in str(waiting.message), 20, lambda: str(waiting.message))
    assert waiting.state is EngineState.PENDING
    jobs.engine.cancel(waiting.id)
    waiting.ended()
    assert "CANCELLED" in str(waiting.message)
    assert not waiting.events(), "it never started"
    assert all(job.state is EngineState.RUNNING for job in running)


def test_chosen_devices_are_the_ones_that_a_run_gets(jobs: Jobs) -> None:
    job = jobs.submit(gpus=2, devices=("gpu3", "gpu1")).started()
    assert job.events()[0]["devices"] == "1,3"
    same = jobs.submit(devices=("gpu3",))
    wait_until(lambda: "waits in Slurm" in str(same.message), 20)
    assert same.state is EngineState.PENDING
    with pytest.raises(UsageError, match=r"'gpu7' cannot be chosen.*Did you mean"):
        jobs.submit(devices=("gpu7",))
    with pytest.raises(UsageError, match="trains on 2"):
        jobs.submit(gpus=2, devices=("gpu1",))


def test_a_plain_scancel_leaves_time_to_save_too(jobs: Jobs, slurm: SlurmCluster) -> None:
    job = jobs.submit().started()
    slurm.command("scancel", job.id)
    job.ended()
    assert job.events()[-1] == {"state": "ended", "signal": signal.SIGTERM}
    assert "CANCELLED" in str(job.message)


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_ends_nothing(jobs: Jobs, slurm: SlurmCluster) -> None:
    job = jobs.submit().started()
    slurm.end("slurmctld")
    try:
        with pytest.raises(WavebookError, match=r"squeue: .*slurm"):
            jobs.engine.poll([job.id])
        with pytest.raises(WavebookError, match=r"scancel|squeue"):
            jobs.engine.cancel(job.id)
        with pytest.raises(ClusterUnreachableError, match=r"sbatch: .*controller"):
            jobs.submit(patience=0)
    finally:
        slurm.restart_controller()
    assert job.state is EngineState.RUNNING
    jobs.engine.cancel(job.id)
    job.ended()
    assert job.events()[-1]["state"] == "ended"


def test_a_run_whose_node_dies_has_ended_with_the_reason(jobs: Jobs, slurm: SlurmCluster) -> None:
    job = jobs.submit().started()
    slurm.end("slurmd", signal.SIGKILL)
    try:
        job.ended(90)
        assert "NODE_FAIL" in str(job.message)
    finally:
        (job.folder / "go").touch()
        slurm.start_node()
    wait_until(slurm.idle, 60, slurm.logs)


def test_a_run_that_slurm_gives_no_gpu_does_not_start(jobs: Jobs) -> None:
    jobs.engine = SlurmEngine(SlurmSettings(cpus=1, gres="token"))  # a resource without device files
    job = jobs.submit().ended()
    assert not job.events()
    assert "without giving it a GPU" in (job.folder / "log.txt").read_text()
    assert "FAILED (NonZeroExitCode); see log.txt" in str(job.message)


def test_what_slurm_refuses_is_told_in_its_words(slurm: SlurmCluster, jobs: Jobs) -> None:
    jobs.engine = SlurmEngine(SlurmSettings(cpus=1, partition="night"))
    with pytest.raises(WavebookError, match=r"sbatch: .*invalid partition"):
        jobs.submit()
    jobs.engine = SlurmEngine(SlurmSettings(cpus=1))
    with pytest.raises(WavebookError, match="sbatch: "):
        jobs.submit(gpus=5)


def test_a_run_gets_its_time_and_the_settings_their_options(slurm: SlurmCluster, jobs: Jobs) -> None:
    jobs.engine = SlurmEngine(SlurmSettings(cpus=2, time="2-00:00:00", options=["--mem=100M", "--comment=a b;c"]))
    limited = jobs.submit(hours=0.51).started()
    default = jobs.submit().started()

    def told(job: Job) -> str:
        return slurm.command("squeue", "--all", "-h", f"--jobs={job.id}", "--format=%l|%m|%C|%k").strip()

    assert told(limited) == "36:00|100M|2|a b;c", "31 minutes, and five for the run to end by its own limit"
    assert told(default) == "2-00:00:00|100M|2|a b;c"


def test_jobs_that_slurm_has_forgotten_have_ended(jobs: Jobs) -> None:
    reports = jobs.engine.poll(["999998", "999999"])
    assert {report.state for report in reports.values()} == {EngineState.ENDED}
    assert jobs.engine.poll([]) == {}


def test_without_slurm_the_message_says_so(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(WavebookError, match="squeue is not on the PATH"):
            jobs.engine.poll(["1"])


def test_a_run_on_the_cpu_sees_no_device(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    job = jobs.submit(gpus=0, devices=("cpu",)).started()
    assert job.events()[0]["devices"] == ""
