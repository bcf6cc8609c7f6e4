"""What follows the end of waves: comparisons one at a time, and none forgotten."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.jobs.conftest import small_plan
from wavebook_tools.jobs.conclusions import LATELY, NICENESS, Conclusions
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec, RunState


@pytest.fixture
def store(project: Project) -> Iterator[QueueStore]:
    """A queue of four waves: the first three have ended, of the fourth one run has not."""
    store = QueueStore(project)
    for number in range(1, 5):
        plan = small_plan(number, seeds=2)
        write_json(project.waves_path / plan.folder / "wave.json", plan)
        specs = [RunSpec.from_plan(plan, plan.experiments[0], seed) for seed in (0, 1)]
        store.add((spec, project.relative(project.run_folder(plan, spec))) for spec in specs)
        for spec in specs[: 1 if number == 4 else 2]:
            store.finish(spec.id, RunState.DONE, ended=time.time() - (2 * LATELY if number == 1 else 0))
    yield store
    store.close()


def start_and_end(conclusions: Conclusions) -> list[str] | None:
    """Start the next comparison and end it at once; the arguments of its process."""
    pid = conclusions.start_next()
    if pid is None:
        return None
    process = psutil.Process(pid)
    while len(command := process.cmdline()) < 3:  # its arguments come a moment after the process
        time.sleep(0.001)
    assert process.nice() >= NICENESS, "it takes no time from runs"
    assert conclusions.start_next() is None, "one at a time"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    conclusions.ended()
    return command[2:]


def test_waves_that_ended_are_compared_one_after_the_other(project: Project, store: QueueStore) -> None:
    conclusions = Conclusions(project, store)
    for wave in (3, 2, 3, 4):
        conclusions.add(wave)
    root = str(project.root)
    assert start_and_end(conclusions) == ["wavebook_tools.comparison", root, "3"]
    store.add([(RunSpec.from_plan(plan := small_plan(2), plan.experiments[0], 0, repeat=1), "waves/002-small/again")])
    assert conclusions, "the second wave still waits"
    assert start_and_end(conclusions) is None, "and is not compared while something of it is repeated"
    assert not conclusions


def test_what_a_killed_dispatcher_left_is_made_up_for(project: Project, store: QueueStore) -> None:
    project.wave(2).comparison_path.write_text("compared already")
    conclusions = Conclusions(project, store)
    conclusions.make_up()
    assert start_and_end(conclusions) == ["wavebook_tools.comparison", str(project.root), "3"]
    assert not conclusions, "the first wave ended long ago, the second is compared, the fourth has not ended"
