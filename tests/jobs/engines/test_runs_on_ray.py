"""Whole runs, notebook and record, through the queue and its dispatcher on a real Ray of two nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jobs.engines.holding import devices, ended, plan, queue_of, release, row, training
from tests.jobs.engines.ray_cluster import RayCluster
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunState

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture
def ray_queue(ray: RayCluster, project: Project) -> Iterator[Queue]:
    with queue_of(project, f'[engine]\nname = "ray"\n[engine.ray]\naddress = "{ray.address}"\n') as queue:
        yield queue


def test_runs_fill_both_nodes_are_cancelled_and_finish_once_there_is_room(ray_queue: Queue) -> None:
    runs = list(ray_queue.submit_wave(plan(seeds=6)))
    training(ray_queue, *runs[:4])
    assert {devices(ray_queue, run) for run in runs[:4]} == {"0", "1", "2", "3"}
    ray_queue.cancel(runs[5], "ada", "not needed")
    assert ended(ray_queue, runs[5]).state is RunState.CANCELLED
    assert devices(ray_queue, runs[5]) is None
    ray_queue.cancel(runs[0], "ada", "diverges")
    cancelled = ended(ray_queue, runs[0])
    assert (cancelled.state, cancelled.message) == (RunState.CANCELLED, "cancelled by ada: diverges")
    assert "devices" in ray_queue.project.run(runs[0]).notebook_path.read_text()
    release(ray_queue)
    for run in runs[1:5]:
        assert ended(ray_queue, run).state is RunState.DONE
        assert row(ray_queue, run).engine == "ray"
    result = ray_queue.project.run(runs[4]).result()
    assert result is not None
    assert result.error_vel_xy == pytest.approx(0.1 + 0.01 * 4)
