"""Waves through the queue, with real processes and kernels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbformat.sign import NotebookNotary

from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from tests.jobs.engines.holding import HOLD, release
from wavebook_tools.errors import NotFoundError, UsageError
from wavebook_tools.jobs import leases
from wavebook_tools.jobs.processes import DISPATCHER, ProcessIdentity, find, marked_processes
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunState

STUBBORN = """\
import os, signal, subprocess, sys, time
child = '''
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
if os.fork():
    time.sleep(600)
os.setsid()
if os.fork():
    os._exit(0)
time.sleep(600)
'''
for _ in range(3):
    subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("stubborn", flush=True)
while True:
    time.sleep(1)
"""


def wait_for_state(queue: Queue, run_id: str, state: str, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        runs = [run for wave in project_status(queue.project)["waves"] for run in wave["runs"] if run["id"] == run_id]
        if runs and runs[0]["state"] == state:
            return
        time.sleep(0.05)
    raise AssertionError(f"{run_id} did not become {state}: {runs}")


def wait_for_text(queue: Queue, run_id: str, text: str, timeout: float = 60) -> None:
    path = queue.project.run(run_id).log_path
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{text!r} did not appear in {path}")


def test_a_wave_runs_to_its_end_and_leaves_a_whole_record(queue: Queue) -> None:
    ids = queue.submit_wave(small_plan(seeds=2))
    assert ids == ["exp001/s0", "exp001/s1"]
    assert queue.wait(ids, timeout=120)
    wave = project_status(queue.project)["waves"][0]
    assert wave["state"] == "done"
    assert [run["state"] for run in wave["runs"]] == ["done", "done"]
    assert [run["iteration"] for run in wave["runs"]] == [3, 3]
    assert wave["runs"][1]["metrics"]["error_vel_xy"] == pytest.approx(0.11)

    record = queue.project.run("exp001/s0")
    for path in (record.notebook_path, record.spec_path, record.events_path, record.result_path, record.log_path):
        assert path.exists(), path
    events = list(record.events())
    assert [e["state"] for e in events if e["kind"] == "state"] == [
        "starting",
        "running",
        "running",
        "evaluating",
        "done",
    ]
    assert [e["iteration"] for e in events if e["kind"] == "metric"] == [0, 1, 2]
    assert {e["kind"] for e in events} == {"state", "cell", "metric", "log"}
    assert "iteration 3/3" in record.log_path.read_text()
    notebook = nbformat.read(record.notebook_path, as_version=4)
    assert "It runs" in notebook.cells[0].source
    assert any('run = "exp001/s0"' in cell.source for cell in notebook.cells)
    assert NotebookNotary().check_signature(notebook), "a notebook that we executed opens trusted"


def test_runs_share_one_cpu_slot_one_after_the_other(queue: Queue) -> None:
    ids = queue.submit_wave(small_plan(seeds=2))
    assert queue.wait(ids, timeout=120)
    first, second = (queue.store.get(run_id) for run_id in ids)
    assert first is not None
    assert second is not None
    assert first.ended is not None
    assert second.started is not None
    assert second.started >= first.ended
    assert leases.holders("cpu") == []


def test_a_failing_cell_fails_the_run_and_says_why(queue: Queue) -> None:
    write_template(queue.project, "broken", TRAINING, "raise ValueError('no such terrain')")
    ids = queue.submit_wave(small_plan(template="broken"))
    assert queue.wait(ids, timeout=60)
    row = queue.store.get(ids[0])
    assert row is not None
    assert row.state is RunState.FAILED
    assert row.message is not None
    assert "ValueError: no such terrain" in row.message
    record = queue.project.run(ids[0])
    assert "no such terrain" in record.log_path.read_text()
    assert "no such terrain" in record.notebook_path.read_text()


def test_a_notebook_without_a_result_is_not_done(queue: Queue) -> None:
    write_template(queue.project, "resultless", TRAINING)
    ids = queue.submit_wave(small_plan(template="resultless"))
    assert queue.wait(ids, timeout=60)
    row = queue.store.get(ids[0])
    assert row is not None
    assert (row.state, row.message) == (RunState.FAILED, "the notebook ended without a result")


def test_cancel_stops_a_training_and_keeps_its_outputs(queue: Queue) -> None:
    ids = queue.submit_wave(small_plan(iterations=10_000))
    wait_for_text(queue, ids[0], "iteration 1/")
    assert queue.cancel(ids[0], "ana", "another idea")
    assert queue.wait(ids, timeout=30)
    run = project_status(queue.project)["waves"][0]["runs"][0]
    assert run["state"] == "cancelled"
    assert run["message"] == "cancelled by ana: another idea"
    notebook = queue.project.run(ids[0]).notebook_path.read_text()
    assert "cancelled by ana" in notebook
    assert "iteration 1/" in notebook
    decisions = queue.project.ledger.read()
    assert [(d.actor, d.name, d.what) for d in decisions] == [("human", "ana", "cancel")]
    assert not queue.cancel(ids[0], "ana"), "a second cancel changes nothing"


def test_cancel_ends_a_tree_that_ignores_signals(queue: Queue) -> None:
    write_template(queue.project, "stubborn", STUBBORN)
    ids = queue.submit_wave(small_plan(template="stubborn"))
    wait_for_text(queue, ids[0], "stubborn")
    folder = queue.project.run(ids[0]).path
    deadline = time.monotonic() + 20
    while len(marked_processes(folder)) < 8:  # worker, kernel, three children, their three daemons
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert queue.cancel(ids[0], "ana")
    assert queue.wait(ids, timeout=30)
    row = queue.store.get(ids[0])
    assert row is not None
    assert row.state is RunState.CANCELLED
    assert marked_processes(folder) == []
    assert leases.holders("cpu") == []


def test_a_queued_run_is_cancelled_without_starting(queue: Queue) -> None:
    ids = queue.submit_wave(small_plan(iterations=10_000, seeds=2))
    wait_for_state(queue, ids[0], "running")
    assert queue.cancel(ids[1], "ana")
    assert queue.wait([ids[1]], timeout=10)
    assert not (queue.project.run(ids[1]).log_path).exists()
    assert queue.cancel_wave(1, "ana") == [ids[0]]
    assert queue.wait(ids, timeout=30)
    assert project_status(queue.project)["waves"][0]["state"] == "cancelled"


def test_a_run_outlives_the_process_that_submitted_it(project: Project) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.jobs.conftest import small_plan\n"
        "from wavebook_tools.jobs.queue import Queue; from wavebook_tools.records.project import Project\n"
        "Queue(Project(Path(sys.argv[1]))).submit_wave(small_plan(iterations=40))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(project.root)], check=True, env={**os.environ, "PYTHONPATH": "."})
    with Queue(project) as queue:
        assert queue.wait(["exp001/s0"], timeout=60)
        row = queue.store.get("exp001/s0")
        assert row is not None
        assert row.state is RunState.DONE


@pytest.mark.parametrize("victim", ["supervisor", "worker", "kernel"])
def test_killing_any_process_of_a_run_ends_it_in_a_true_state_with_nothing_left(queue: Queue, victim: str) -> None:
    ids = queue.submit_wave(small_plan(iterations=10_000))
    wait_for_text(queue, ids[0], "iteration 1/")
    row = queue.store.get(ids[0])
    assert row is not None
    assert row.native is not None
    supervisor = psutil.Process(ProcessIdentity.parse(row.native).pid)
    worker = supervisor.children()[0]
    chosen = {"supervisor": supervisor, "worker": worker, "kernel": worker.children()[0]}[victim]
    chosen.send_signal(signal.SIGKILL)
    assert queue.wait(ids, timeout=30)
    row = queue.store.get(ids[0])
    assert row is not None
    assert row.state is RunState.FAILED
    assert row.message
    assert marked_processes(queue.project.run(ids[0]).path) == []
    states = [e["state"] for e in queue.project.run(ids[0]).events() if e["kind"] == "state"]
    assert states[-1] == "failed"
    if victim == "supervisor":  # nobody else could note it
        (noted,) = [d for d in queue.project.ledger.read() if d.what == "end run"]
        assert (noted.name, noted.refs["runs"], noted.why) == ("lost supervisor", ids, row.message)
    notebook = queue.project.run(ids[0]).notebook_path
    deadline = time.monotonic() + 60
    while f"**failed**: {row.message}" not in nbformat.read(notebook, as_version=4).cells[0].source:
        assert time.monotonic() < deadline, "the notebook says how its run ended"
        time.sleep(0.05)


def test_killing_the_dispatcher_harms_no_run(queue: Queue) -> None:
    write_template(queue.project, "hold", HOLD, EVALUATION)
    ids = queue.submit_wave(small_plan(template="hold", seeds=2))
    wait_for_text(queue, ids[0], "devices")
    (dispatcher,) = (psutil.Process(identity.pid) for identity in find(DISPATCHER, queue.project.root))
    dispatcher.kill()
    dispatcher.wait(10)
    queue.ensure_dispatcher()
    release(queue)
    assert queue.wait(ids, timeout=90)
    assert [row.state for row in queue.store.all()] == [RunState.DONE, RunState.DONE]


def test_retry_repeats_only_what_did_not_finish(queue: Queue) -> None:
    plan = small_plan(seeds=2, template="fragile")
    write_template(queue.project, "fragile", TRAINING, "assert seed != 1 or 'r1' in session.spec.id", EVALUATION)
    ids = queue.submit_wave(plan)
    assert queue.wait(ids, timeout=90)
    assert project_status(queue.project)["waves"][0]["state"] == "failed"
    repeats = queue.retry_wave(1, "ana")
    assert repeats == ["exp001/s1-r1"]
    assert queue.wait(repeats, timeout=60)
    assert project_status(queue.project)["waves"][0]["state"] == "done"
    with pytest.raises(UsageError, match="nothing to retry"):
        queue.retry_wave(1, "ana")


def test_the_same_wave_twice_is_refused_and_changes_nothing(queue: Queue) -> None:
    queue.submit_wave(small_plan(iterations=1))
    with pytest.raises(UsageError, match="wave 1 was submitted before"):
        queue.submit_wave(small_plan(iterations=1))
    assert len(queue.store.all()) == 1


def test_a_template_without_a_parameter_is_refused_before_anything_is_written(queue: Queue) -> None:
    folder = queue.project.root / "templates"
    notebook = nbformat.read(folder / "quick.ipynb", as_version=4)
    notebook.cells[1].source = notebook.cells[1].source.replace("iterations = 1\n", "")
    nbformat.write(notebook, folder / "short.ipynb")
    with pytest.raises(UsageError, match="misses the parameter iterations"):
        queue.submit_wave(small_plan(template="short"))
    assert not list(queue.project.waves_path.iterdir())
    assert queue.store.all() == []


def test_an_unknown_template_names_the_nearest(queue: Queue) -> None:
    with pytest.raises(NotFoundError, match=r"no template 'quik'\. Did you mean 'quick'"):
        queue.submit_wave(small_plan(template="quik"))


def test_an_unknown_device_is_refused(queue: Queue) -> None:
    with pytest.raises(UsageError, match="device '7' fits no device"):
        queue.submit_wave(small_plan().model_copy(update={"devices": ["7"]}))


def test_a_corrupt_spec_fails_its_run_alone(queue: Queue) -> None:
    write_template(queue.project, "hold", HOLD, EVALUATION)
    ids = queue.submit_wave(small_plan(template="hold", seeds=2))
    queue.project.run(ids[1]).spec_path.write_text('{"format": 1, "id": ')
    release(queue)
    assert queue.wait(ids, timeout=90)
    first, second = (queue.store.get(run_id) for run_id in ids)
    assert first is not None
    assert second is not None
    assert first.state is RunState.DONE
    assert second.state is RunState.FAILED
    assert second.message is not None
    assert "spec.json is damaged" in second.message


def test_secrets_of_the_environment_do_not_reach_a_run(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-do-not-tell")
    write_template(queue.project, "nosy", "import os, json\nprint(json.dumps(dict(os.environ)))", TRAINING, EVALUATION)
    ids = queue.submit_wave(small_plan(template="nosy"))
    assert queue.wait(ids, timeout=60)
    record = queue.project.run(ids[0])
    for path in (record.log_path, record.notebook_path, record.events_path):
        assert "sk-do-not-tell" not in path.read_text(), path
    printed = json.loads(record.log_path.read_text().splitlines()[0])
    assert printed["CUDA_VISIBLE_DEVICES"] == ""


def test_odd_lines_in_a_record_do_not_hide_the_other_runs(queue: Queue) -> None:
    ids = queue.submit_wave(small_plan(iterations=200))
    wait_for_text(queue, ids[0], "iteration 1/")
    with open(queue.project.run(ids[0]).events_path, "a") as stream:
        for odd in (
            '{"kind":"metric"}',
            '{"kind":"metric","iteration":"x","values":3}',
            '{"kind":"state","state":"ill"}',
            '{"kind":"state","state":["done"],"t":1.0}',
            '{"kind":"state","state":"done"}',
        ):
            stream.write(odd + "\n")
    run = project_status(queue.project)["waves"][0]["runs"][0]
    assert run["state"] == "running"
    assert run["iteration"] >= 1
    assert queue.cancel(ids[0], "ana")
    assert queue.wait(ids, timeout=30)


def test_a_resumed_run_goes_on_from_the_newest_whole_checkpoint_with_its_curves(queue: Queue) -> None:
    saving = (
        TRAINING + "    for name in ('model', 'state'):\n"
        "        if not (name == 'state' and iteration == 3):\n"  # the fourth was never whole
        "            (session.checkpoints / f'{name}_{iteration}.pt').touch()\n"
    )
    write_template(queue.project, "fragile", saving + "assert checkpoint, 'the first time it fails'\n", EVALUATION)
    ids = queue.submit_wave(small_plan(template="fragile", iterations=4))
    assert queue.wait(ids, timeout=60)
    (repeat,) = queue.retry_wave(1, "ana", resume=True)
    record = queue.project.run(repeat)
    spec = record.spec()
    assert spec.resumed_from == "exp001/s0"
    assert spec.checkpoint == "waves/001-small/exp001-first/s0/checkpoints/model_2.pt"
    first = list(record.events())[:4]
    assert (first[0]["resumed_from"], first[0]["iteration"]) == ("exp001/s0", 2)
    assert [event["iteration"] for event in first[1:]] == [0, 1, 2]
    assert queue.wait([repeat], timeout=60)
    row = queue.store.get(repeat)
    assert row is not None
    assert row.state is RunState.DONE
    assert [d.refs["resumed"] for d in queue.project.ledger.read() if d.what == "retry"] == [{repeat: "exp001/s0"}]


def test_one_run_of_a_wave_can_be_retried(queue: Queue) -> None:
    ids = queue.submit_wave(small_plan(seeds=2))
    queue.cancel_wave(1, "ana")
    assert queue.wait(ids, timeout=60)
    assert queue.retry_wave(1, "ana", run_id=ids[1]) == ["exp001/s1-r1"]
    with pytest.raises(UsageError, match=r"was repeated already, as 'exp001/s1-r1'"):
        queue.retry_wave(1, "ana", run_id=ids[1])
    assert queue.wait(["exp001/s1-r1"], timeout=60)


def test_an_older_database_is_brought_up_to_date(project: Project) -> None:
    with Queue(project) as queue:
        queue.store._connection.executescript(
            "ALTER TABLE runs DROP COLUMN gpus; ALTER TABLE runs DROP COLUMN share;"
            "ALTER TABLE runs DROP COLUMN engine;"
            "ALTER TABLE runs RENAME COLUMN native TO supervisor;"
            "INSERT INTO runs (id, wave, folder, state, devices, submitted, iterations)"
            " VALUES ('exp001/s0', 1, 'waves/x', 'done', '[\"auto\"]', 1.0, 3)"
        )
    with Queue(project) as queue:
        (row,) = queue.store.all()
        assert (row.gpus, row.share, row.engine, row.native) == (1, False, "local", None)
