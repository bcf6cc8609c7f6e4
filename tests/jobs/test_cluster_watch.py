"""What the queue makes of a scheduler's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.jobs.conftest import small_plan
from wavebook.changes import ProjectState
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.cluster_watch import ClusterWatch
from wavebook_tools.jobs.engines import ClusterEngine
from wavebook_tools.jobs.engines.base import EngineReport, EngineState, Placement
from wavebook_tools.jobs.store import QueuedRun, QueueStore
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec

RUN = "exp001/s0"


class Scheduler:
    """Says what it is told to say of each job."""

    def __init__(self) -> None:
        self.report = EngineReport(EngineState.PENDING, "waits in Slurm (Resources)")
        self.silent = False

    def submit(self, placement: Placement) -> str:
        return "1"

    def cancel(self, native_id: str) -> None: ...

    def poll(self, native_ids: Sequence[str]) -> dict[str, EngineReport]:
        if self.silent:
            raise WavebookError("Slurm does not answer")
        return dict.fromkeys(native_ids, self.report)


@pytest.fixture
def store(project: Project) -> Iterator[QueueStore]:
    store = QueueStore(project)
    yield store
    store.close()


def submitted(store: QueueStore, **fields: object) -> None:
    plan = small_plan().model_copy(update=fields)
    spec = RunSpec.from_plan(plan, plan.experiments[0], 0)
    store.add([(spec, "waves/001-small/exp001-first/s0")])
    store.start(RUN, "", "slurm")
    store.set_native(RUN, "1")


def row(store: QueueStore) -> QueuedRun:
    found = store.get(RUN)
    assert found is not None
    return found


def test_a_run_cancelled_in_the_schedulers_line_has_ended_as_soon_as_the_scheduler_says_so(
    project: Project, store: QueueStore
) -> None:
    submitted(store)
    scheduler, watch = Scheduler(), ClusterWatch(project, store)
    cluster = ClusterEngine("slurm", scheduler)
    assert watch.look(cluster)[0] == []
    assert row(store).message == "waits in Slurm (Resources)"
    store.request_cancel(RUN, "ana", "")
    scheduler.report = EngineReport(EngineState.ENDED, "Slurm ended the job: CANCELLED", placed=False)
    assert watch.look(cluster)[0] == [(RUN, "Slurm ended the job: CANCELLED")], "without waiting for the next poll"


def test_the_end_of_a_run_that_was_placed_is_told_by_its_record_which_may_be_late(
    project: Project, store: QueueStore
) -> None:
    submitted(store)
    scheduler, watch = Scheduler(), ClusterWatch(project, store)
    scheduler.report = EngineReport(EngineState.ENDED, "Slurm ended the job: COMPLETED", ("node1",))
    assert watch.look(ClusterEngine("slurm", scheduler))[0] == []


def test_a_scheduler_that_does_not_answer_is_told_until_it_does(
    project: Project, store: QueueStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavebook_tools.jobs.cluster_watch.CLUSTER_POLL", -1.0)
    submitted(store)
    scheduler, watch = Scheduler(), ClusterWatch(project, store)
    cluster = ClusterEngine("slurm", scheduler)
    scheduler.silent = True
    assert watch.look(cluster)[0] == []
    assert row(store).message == "not known how it goes: Slurm does not answer"
    scheduler.silent, scheduler.report = False, EngineReport(EngineState.RUNNING, devices=("node1",))
    assert watch.look(cluster)[0] == []
    assert row(store).message is None


@pytest.mark.parametrize(("devices", "gpus", "counted"), [(["auto"], 2, 2), (["auto"], 1, 1), (["cpu"], 1, 0)])
def test_a_node_is_not_counted_as_a_gpu(
    project: Project, store: QueueStore, devices: list[str], gpus: int, counted: int
) -> None:
    submitted(store, devices=devices, gpus=gpus)
    assert row(store).gpu_count == counted
    store.set_device(RUN, "node1")
    assert row(store).gpu_count == counted


def test_what_the_scheduler_says_of_a_run_that_waits_reaches_the_browsers(
    project: Project, store: QueueStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavebook_tools.jobs.cluster_watch.CLUSTER_POLL", -1.0)
    submitted(store)
    scheduler, watch, browsers = Scheduler(), ClusterWatch(project, store), ProjectState(project)
    browsers.look()
    for words in ("waits in Slurm (Resources)", "waits in Slurm (Priority)"):
        scheduler.report = EngineReport(EngineState.PENDING, words)
        watch.look(ClusterEngine("slurm", scheduler))
        assert row(store).message == words
        assert browsers.look().what == {"waves"}
    watch.look(ClusterEngine("slurm", scheduler))
    assert not browsers.look().what, "it says the same as before"
    browsers.close()
