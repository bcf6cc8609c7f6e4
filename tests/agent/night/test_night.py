"""A night with real processes: to its goal, to its limits, stopped, interrupted and taken up again."""

from __future__ import annotations

import signal

import nbformat

from tests.agent.night.conftest import ENDLESS, night_processes, terms, until
from tests.jobs.conftest import write_template
from wavebook.agent.chat import Chat
from wavebook.agent.night import process
from wavebook.agent.night.grant import Nights
from wavebook.agent.night.status import night_status
from wavebook_tools.jobs.queue import Queue


def decisions(project, what):
    return [decision for decision in project.ledger.read() if decision.what == what]


def rows(project):
    with Queue(project) as queue:
        return queue.store.all()


def test_a_night_runs_waves_by_itself_until_its_goal(project):
    night = process.start(project, terms(waves=3, runs=4, until="error_vel_xy=0.2"), "ada")
    until(lambda: Nights(project).newest().state == "ended", 400)
    ended = Nights(project).newest()
    assert (ended.id, ended.outcome) == (night.id, "goal"), ended.why
    assert "error_vel_xy" in ended.why
    assert ended.waves == [1, 2]
    assert ended.judged[0].improved  # a weight of 6 halves the error
    assert all(row.state == "done" for row in rows(project))
    (grant,) = decisions(project, "grant night")
    assert (grant.actor, grant.name) == ("human", "ada")
    for approved in decisions(project, "approve"):
        assert (approved.actor, approved.name) == ("agent", "night")
        assert "granted by ada" in approved.why
    # What the first wave found is what the approval of the second names as evidence.
    assert decisions(project, "approve")[1].refs["evidence"]
    assert [d.refs["wave"] for d in decisions(project, "judge wave")] == [1, 2]
    until(lambda: not process.alive(project), 60)  # then the report is written, too
    report = nbformat.read(project.root / "report.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in report.cells)
    assert "## Nights" in text
    assert "the goal is reached" in text
    assert "is over" in Chat(project).messages()[-1].body
    assert night_processes(project) == []
    assert process.resume(project) is False


def test_a_night_is_interrupted_taken_up_again_and_stopped_with_its_runs(project):
    write_template(project, "train", ENDLESS)
    process.start(project, terms(), "ada")
    until(lambda: any(row.state == "starting" for row in rows(project)))
    assert process.resume(project) is False  # it lives
    (one,) = night_processes(project)
    one.send_signal(signal.SIGTERM)
    until(lambda: not process.alive(project), 30)
    assert Nights(project).current().state == "paused"
    assert not any(row.state.final for row in rows(project))  # its runs go on
    assert process.resume(project) is False  # nobody goes on behind the back of who ended it
    assert process.resume(project, paused=True)
    assert process.resume(project, paused=True) is False  # one process, also while it is just starting
    until(lambda: Nights(project).current().state == "running")
    (one,) = night_processes(project)
    one.send_signal(signal.SIGKILL)
    until(lambda: not process.alive(project), 30)
    assert "started again" in night_status(project)["night"]["doing"]
    assert process.resume(project)  # a lost one is taken up by whoever looks
    until(lambda: process.alive(project))
    process.stop(project, "bob", "enough")
    until(lambda: Nights(project).newest().state == "ended")
    ended = Nights(project).newest()
    assert (ended.outcome, ended.why) == ("stopped", "stopped by bob: enough")
    assert {row.state.value for row in rows(project)} == {"cancelled"}
    assert {(d.actor, d.name) for d in decisions(project, "cancel")} == {("human", "bob")}
    assert len(decisions(project, "plan")) == 1  # the interruptions planned nothing anew


def test_the_device_hours_end_a_wave_whose_length_nobody_knew(project):
    write_template(project, "train", ENDLESS)
    process.start(project, terms(gpu_hours=0.001), "ada")
    until(lambda: Nights(project).newest().state == "ended")
    ended = Nights(project).newest()
    assert ended.outcome == "budget"
    assert "device hours are spent" in ended.why
    cancelled = decisions(project, "cancel")
    assert {(d.actor, d.name) for d in cancelled} == {("agent", "night")}
    assert "0.001 device hours of night 1 are spent" in cancelled[0].why
    assert project.wave(1).plan().budget.gpu_hours == 0.001
