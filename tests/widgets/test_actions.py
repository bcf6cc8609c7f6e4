"""Buttons on real runs."""

from __future__ import annotations

import time
from html import unescape

import pytest

from tests.jobs.conftest import small_plan, write_template
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.widgets import actions
from wavebook_tools.widgets.queue import QueuePanel

SLEEP = "import time\ntime.sleep(60)"


@pytest.fixture
def waiting(project: Project, queue: Queue) -> Queue:
    """One run at work and two that wait."""
    write_template(project, "sleep", SLEEP)
    queue.submit_wave(small_plan(template="sleep", seeds=3))
    deadline = time.monotonic() + 30
    while (row := queue.store.get("exp001/s0")) is None or row.state == "queued":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return queue


def states(queue: Queue) -> list[str]:
    return [row.state.value for row in queue.store.all()]


def test_priority_moves_what_waits_and_only_that(project: Project, waiting: Queue) -> None:
    assert actions.move(project, "exp001/s2", "somebody", 1) == "Priority of exp001/s2: +1"
    assert [row.id for row in waiting.store.queued()] == ["exp001/s2", "exp001/s1"]
    actions.move(project, "wave 1", "somebody", -1)
    assert [row.priority for row in waiting.store.all()] == [0, -1, 0]
    with pytest.raises(WavebookError, match="does not wait any more"):
        actions.move(project, "exp001/s0", "somebody", 1)


def test_the_panel_asks_once_before_it_cancels(project: Project, waiting: Queue) -> None:
    panel = QueuePanel(project)
    panel._target.value = "exp001/s0"
    panel._cancel.click()
    assert "End exp001/s0?" in panel._question.value
    assert panel._asked.layout.display == "flex"
    assert waiting.store.get("exp001/s0").cancel_by is None  # type: ignore[union-attr]

    panel._no.click()
    assert panel._asked.layout.display == "none"
    assert waiting.store.get("exp001/s0").cancel_by is None  # type: ignore[union-attr]

    panel._cancel.click()
    panel._target.value = "exp001/s1"  # what was asked about is ended, whatever stands in the box by now
    panel._yes.click()
    assert waiting.wait(["exp001/s0"], timeout=30)
    assert waiting.store.get("exp001/s0").state == "cancelled"  # type: ignore[union-attr]
    assert waiting.store.get("exp001/s1").cancel_by is None  # type: ignore[union-attr]
    panel.close()


def test_a_wave_is_cancelled_and_repeated_as_a_whole(project: Project, waiting: Queue) -> None:
    assert actions.cancellable(project, "wave 1") == ["exp001/s0", "exp001/s1", "exp001/s2"]
    actions.cancel(project, "Wave 1", "somebody")
    assert waiting.wait([row.id for row in waiting.store.all()], timeout=30)
    assert states(waiting) == ["cancelled"] * 3
    with pytest.raises(WavebookError, match="has ended already"):
        actions.cancellable(project, "1")
    assert actions.retry(project, "exp001/s1", "somebody", resume=False) == "Queued again: exp001/s1-r1"
    assert "exp001/s0-r1, exp001/s2-r1" in actions.retry(project, "1", "somebody", resume=True)
    assert {decision.name for decision in project.ledger.read()} == {"somebody"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("", "name a run, as exp001/s0"),
        ("exp001", "does not name a run"),
        ("exp001/s9", "Did you mean 'exp001/s0'"),
        ("wave 7", "no wave 7"),
        ("<b>x</b>", "does not name a run"),
    ],
)
def test_a_wrong_name_is_explained_below_the_buttons(project: Project, queue: Queue, target: str, said: str) -> None:
    queue.submit_wave(small_plan(iterations=1))
    panel = QueuePanel(project)
    panel._target.value = target
    for button in (panel._cancel, panel._retry, panel._sooner, panel._later):
        panel._said.value = ""
        button.click()
        assert said in unescape(panel._said.value)
        assert 'role="alert"' in panel._said.value
        assert "<b>x" not in panel._said.value
    panel.close()
