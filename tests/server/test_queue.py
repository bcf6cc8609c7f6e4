"""What a person does to the queue through the server, on a machine with two GPUs that another project holds."""

from __future__ import annotations

import getpass

import pytest

from tests.jobs.conftest import EVALUATION, TRAINING, driver, machine, small_plan, write_template  # noqa: F401
from wavebook_tools.jobs import leases
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project


@pytest.fixture
def project(machine, jp_root_dir, tmp_path, monkeypatch):  # noqa: F811
    """Three queued runs, and nothing free."""
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    project = Project.create(jp_root_dir)
    write_template(project, "quick", TRAINING, EVALUATION)
    held = [leases.acquire(gpu, run="exp009/s1", project="/elsewhere") for gpu in ("GPU-aaaa", "GPU-bbbb")]
    with Queue(project) as queue:
        queue.submit_wave(small_plan(seeds=3).model_copy(update={"devices": ["auto"]}))
        yield project
        queue.cancel_wave(1, "the test")
        queue.wait([row.id for row in queue.store.all()], timeout=30)
    for lease in held:
        lease.release()


async def test_the_devices_tell_who_holds_them(project, call):
    status, answer = await call("GET", "gpus")
    assert status == 200
    first, second = answer["devices"]
    assert (first["id"], first["label"], second["label"]) == ("GPU-aaaa", "0", "1")
    (holder,) = first["holders"]
    assert (holder["run"], holder["project"], holder["own"]) == ("exp009/s1", "/elsewhere", False)
    assert first["memory_total"] > 0


async def test_a_queued_run_is_sent_to_a_device_and_forward(project, call):
    assert (await call("POST", "runs/exp001/s2/devices", {"devices": ["1"]}))[1]["devices"] == ["1"]
    assert (await call("POST", "runs/exp001/s1/priority", {"priority": 3}))[1]["priority"] == 3
    runs = {run["id"]: run for run in (await call("GET", "waves/1"))[1]["runs"]}
    assert runs["exp001/s2"]["devices"] == ["1"]
    assert runs["exp001/s1"]["priority"] == 3
    assert project.run("exp001/s2").spec().devices == ["1"]  # what a rebuilt queue goes by
    told = [(entry.what, entry.name) for entry in project.ledger.read()]
    assert told[-2:] == [("devices", getpass.getuser()), ("priority", getpass.getuser())]

    status, answer = await call("POST", "runs/exp001/s2/devices", {"devices": ["7"]})
    assert status == 400
    assert "'7' fits no device" in answer["message"]
    status, answer = await call("POST", "runs/exp001/s2/priority", {"priority": 5000})
    assert status == 400
    assert "between -1000 and 1000" in answer["message"]


async def test_what_was_cancelled_is_repeated_and_what_waits_is_not(project, call):
    status, answer = await call("POST", "runs/exp001/s0/retry", {"resume": True})
    assert status == 400
    assert "queued" in answer["message"]
    await call("POST", "waves/1/cancel")
    with Queue(project) as queue:
        assert queue.wait(["exp001/s0", "exp001/s1", "exp001/s2"], timeout=30)
    status, answer = await call("POST", "runs/exp001/s0/devices", {"devices": ["0"]})
    assert status == 400
    assert "does not wait any more" in answer["message"]
    assert (await call("POST", "runs/exp001/s0/retry"))[1] == {"queued": ["exp001/s0-r1"]}
    assert (await call("POST", "waves/1/retry"))[1] == {"queued": ["exp001/s1-r1", "exp001/s2-r1"]}
    (wave,) = (await call("GET", "waves"))[1]["waves"]
    assert [run["state"] for run in wave["runs"]].count("queued") == 3
