"""What status tells of runs, from rows and records as the queue and the runs leave them."""

from __future__ import annotations

import contextlib
import subprocess
from typing import Any

import pytest
from rich.console import Console

from tests.jobs.conftest import small_plan
from wavebook.cli.output import run_table
from wavebook_tools.jobs.devices import Device
from wavebook_tools.jobs.processes import ProcessIdentity
from wavebook_tools.jobs.recovery import finish_from_record
from wavebook_tools.jobs.status import project_status, wave_state
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec, RunState


def status_of(project: Project, states: list[dict[str, Any]]) -> dict[str, Any]:
    """The status of a run that the queue has started and whose record tells of these states."""
    plan = small_plan()
    write_json(project.waves_path / plan.folder / "wave.json", plan)
    spec = RunSpec.from_plan(plan, plan.experiments[0], 0)
    folder = project.run_folder(plan, spec)
    folder.mkdir(parents=True)
    with contextlib.closing(QueueStore(project)) as store:
        store.add([(spec, project.relative(folder))])
        store.start(spec.id, "cpu")
    with contextlib.closing(EventWriter(folder / "events.jsonl")) as events:
        for state in states:
            events.write("state", **state)
    run: dict[str, Any] = project_status(project)["waves"][0]["runs"][0]
    return run


@pytest.mark.parametrize("final", [[], [{"state": "done", "message": None}], [{"state": "failed", "message": "x"}]])
def test_a_run_is_what_it_was_until_the_queue_has_taken_over_its_end(
    project: Project, final: list[dict[str, Any]]
) -> None:
    before = [{"state": "starting"}, {"state": "running", "phase": "training"}, {"state": "evaluating"}]
    assert status_of(project, [*before, *final])["state"] == "evaluating"


def test_an_end_that_the_queue_cannot_note_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = [{"state": "running"}, {"state": "failed", "message": "no space is left"}]
    assert status_of(project, ended)["message"] is None
    monkeypatch.setattr("wavebook_tools.jobs.status.TAKE_OVER_PATIENCE", -1.0)
    run = project_status(project)["waves"][0]["runs"][0]
    assert run["state"] == "running"
    assert run["message"].startswith("ended as failed: no space is left; the queue could not note it yet")


def test_a_run_whose_processes_are_gone_is_told_while_nobody_can_note_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status_of(project, [{"state": "running"}])["message"] is None
    process = subprocess.Popen(["sleep", "1000"])
    with contextlib.closing(QueueStore(project)) as store:
        store.set_native("exp001/s0", str(ProcessIdentity.of(process.pid)))
    monkeypatch.setattr("wavebook_tools.jobs.status.TAKE_OVER_PATIENCE", -1.0)
    assert project_status(project)["waves"][0]["runs"][0]["message"] is None
    process.kill()
    process.wait()
    told = "its processes are gone; the queue could not note it yet: is the disk full?"
    assert project_status(project)["waves"][0]["runs"][0]["message"] == told


def test_a_long_run_is_not_starting_again_once_its_state_lies_far_behind(project: Project) -> None:
    status_of(project, [{"state": "starting"}, {"state": "running", "phase": "training"}])
    record = project.run("exp001/s0")
    values = {f"Episode_Reward/term {number}": 0.125 for number in range(30)}
    with contextlib.closing(EventWriter(record.events_path)) as events:
        events.write("alert", finding="dead policy", message="it stands")
        for iteration in range(600):  # more than what is read of the end
            events.metric(iteration, values)
    run = project_status(project)["waves"][0]["runs"][0]
    assert (run["state"], run["phase"], run["iteration"]) == ("running", "training", 600)
    assert [alert["message"] for alert in record.alerts()] == ["it stands"]


def test_what_ended_a_run_is_told_also_where_its_end_could_not_be_written(project: Project) -> None:
    status_of(project, [{"state": "running"}])
    record = project.run("exp001/s0")
    with contextlib.closing(EventWriter(record.events_path)) as events:
        events.write("alert", finding="disk full", message="0.02 GB are left", ends_run=True)
    with contextlib.closing(QueueStore(project)) as store:
        row = store.get("exp001/s0")
        assert row is not None
        assert finish_from_record(store, row, record).state is RunState.FAILED
    assert project_status(project)["waves"][0]["runs"][0]["message"] == "0.02 GB are left"


def test_the_table_tells_when_a_waiting_run_is_expected_to_start_and_to_end(project: Project) -> None:
    run = status_of(project, [])
    run |= {"state": "queued", "started": None, "estimated_start": 1300.0, "estimated_end": 1900.0}
    console = Console(width=160)
    with console.capture() as capture:
        console.print(run_table([{"id": 1, "slug": "small", "state": "queued", "runs": [run]}], now=1000.0))
    line = next(line for line in capture.get().splitlines() if "exp001/s0" in line)
    assert line.split("queued")[1].split()[:5] == ["0/3", "cpu", "in", "5", "min"]
    assert "15 min" in line


def test_the_table_tells_what_the_watchdog_found_in_a_run_that_is_done(project: Project) -> None:
    run = status_of(project, []) | {"state": "done", "message": None}
    waves = [{"id": 1, "slug": "small", "state": "done", "runs": [run]}]
    console = Console(width=80)
    with console.capture() as capture:
        console.print(run_table(waves, now=1000.0, findings={"exp001/s0": "dead policy: it stands; try: retry seed"}))
    assert "dead policy: it stands; try: retry seed" in capture.get()


@pytest.mark.parametrize(
    ("device", "name", "shown"),
    [
        ("GPU-aaaa-1", "NVIDIA H100", "GPU 1"),
        ("GPU-cccc-3", "NVIDIA H200", "NVIDIA H200"),
        ("GPU-cccc-3,GPU-dddd-4", "NVIDIA H200", "2 × NVIDIA H200"),
        ("GPU-cccc-333333", None, "GPU-cccc-333"),
        ("cpu", "AMD EPYC", "cpu"),
        (None, None, ""),
    ],
)
def test_the_table_calls_devices_as_people_do(
    project: Project, device: str | None, name: str | None, shown: str
) -> None:
    run = status_of(project, []) | {"device": device, "device_name": name}
    here = [Device(id="GPU-aaaa-1", kind="gpu", name="NVIDIA H100", index=1)]
    console = Console(width=160)
    with console.capture() as capture:
        console.print(run_table([{"id": 1, "slug": "small", "state": "queued", "runs": [run]}], 1000.0, devices=here))
    heading, line = (next(line for line in capture.get().splitlines() if word in line) for word in ("device", "exp001"))
    assert line[heading.index("device") : heading.index("time")].strip() == shown


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["queued", "queued"], "queued"),
        (["cancelled", "queued"], "queued"),
        (["done", "queued"], "running"),
        (["starting", "queued"], "running"),
        (["cancelled", "done"], "cancelled"),
    ],
)
def test_a_wave_of_which_no_run_has_begun_waits(states: list[str], told: str) -> None:
    assert wave_state([{"id": f"exp001/s{seed}", "state": state} for seed, state in enumerate(states)]) == told
