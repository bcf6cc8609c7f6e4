"""From a directive to finished runs, through the server: real queue, real kernel, a notebook that trains nothing."""

from __future__ import annotations

import asyncio
import getpass
import json
from contextlib import suppress

import pytest

from tests.jobs.conftest import EVALUATION, TRAINING, write_template
from wavebook.changes import SCHEMA_ID, ProjectState
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project

DIRECTIVE = "track velocity better on flat ground, 2 experiments, 1 seed, 2 robots, 3 iterations, on cpu"


@pytest.fixture
def project(jp_root_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    project = Project.create(jp_root_dir)
    write_template(project, "train", TRAINING, EVALUATION)
    yield project
    with Queue(project) as queue:
        for row in queue.store.all():
            if not row.state.final:
                queue.cancel(row.id, "the test")
        queue.wait([row.id for row in queue.store.all()], timeout=30)


@pytest.fixture
def proposed(project, jp_fetch, call):
    async def propose() -> dict:
        await jp_fetch("wavebook", "api", "chat", method="POST", body=json.dumps({"body": DIRECTIVE}))
        _, answer = await call("GET", "approvals")
        return answer["approvals"][-1]

    return propose


async def until(call, path, reached):
    for _ in range(400):
        _, answer = await call("GET", path)
        if reached(answer):
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} stayed at {answer}")


async def test_an_approved_plan_runs_and_is_told_all_the_way(project, proposed, call):
    approval = await proposed()
    status, decided = await call("POST", f"approvals/{approval['id']}", {"decision": "approve", "why": "go"})
    assert status == 200
    assert (decided["state"], decided["decided_by"], decided["queued"]) == ("approved", getpass.getuser(), True)
    assert project.ledger.read()[-1].name == getpass.getuser()
    assert (await call("POST", f"approvals/{approval['id']}", {"decision": "reject"}))[0] == 409
    assert (await call("POST", "waves/1/run"))[0] == 409

    wave = await until(call, "waves/1", lambda wave: wave["state"] == "done")
    assert wave["plan"] == decided["plan"]
    assert [run["id"] for run in wave["runs"]] == ["exp001/s0", "exp002/s0"]
    for run in wave["runs"]:
        assert run["iteration"] == run["iterations"] == 3
        assert run["metrics"]["error_vel_xy"] == pytest.approx(0.1)
        assert (project.root / run["notebook"]).is_file()
    verdicts = {experiment["id"]: experiment["verdict"]["verdict"] for experiment in wave["experiments"]}
    assert verdicts == {"exp001": "baseline", "exp002": "no different"}
    (listed,) = (await call("GET", "waves"))[1]["waves"]
    assert listed["experiments"] == wave["experiments"]

    status, run = await call("GET", "runs/exp001/s0")
    assert status == 200
    assert run["spec"]["num_envs"] == 2
    assert run["result"]["error_vel_xy"] == pytest.approx(0.1)
    assert run["alerts"] == []
    status, metrics = await call("GET", "runs/exp001/s0/metrics", names="Train/mean_reward")
    assert metrics["iterations"] == [0, 1, 2]
    assert metrics["values"] == {"Train/mean_reward": [0.0, 1.0, 2.0]}
    assert metrics["quantities"]["Train/mean_reward"]["label"] == "Mean episode reward"
    status, events = await call("GET", "runs/exp001/s0/events")
    assert {event["kind"] for event in events["events"]} == {"state", "cell"}
    assert events["events"][-1]["state"] == "done"
    assert (await call("GET", "runs/exp001/s0/events", start=events["end"]))[1] == {"events": [], "end": events["end"]}
    status, answer = await call("GET", "runs/exp001/s0/metrics", names="Train/mean_rewart")
    assert status == 400
    assert "Did you mean 'Train/mean_reward'" in answer["message"]
    status, log = await call("GET", "runs/exp001/s0/log")
    assert (status, log["start"], log["end"]) == (200, 0, log["size"])

    status, comparison = await call("GET", "comparison", waves="1")
    assert status == 200
    assert json.loads(comparison["item"])["doc"]
    assert comparison["title"] == "Wave 1"
    status, detail = await call(
        "GET", "comparison/curves", waves="1", metric="Train/mean_reward", **{"from": 1, "to": 2}
    )
    assert (status, detail["window"]) == (200, [1.0, 2.0])
    assert detail["curves"]["Train/mean_reward"]["exp001"] == [[0, 1, 2], [0.0, 1.0, 2.0]]
    status, answer = await call("GET", "comparison/curves", waves="1", metric="nothing")
    assert status == 400
    assert "'nothing' was not recorded" in answer["message"]


async def test_a_running_wave_can_be_cancelled(project, proposed, call):
    approval = await proposed()
    endless = TRAINING.replace("range(iterations)", "range(10_000)")
    write_template(project, "train", endless, EVALUATION)
    await call("POST", f"approvals/{approval['id']}", {"decision": "approve"})
    await until(call, "runs/exp001/s0", lambda run: run["state"] == "running" and run["iteration"] > 0)
    assert await call("POST", "runs/exp002/s0/cancel", {"why": "enough"}) == (200, {"cancelled": ["exp002/s0"]})
    assert await call("POST", "runs/exp002/s0/cancel") == (200, {"cancelled": []})
    assert await call("POST", "waves/1/cancel") == (200, {"cancelled": ["exp001/s0"]})
    wave = await until(call, "waves/1", lambda wave: wave["state"] == "cancelled")
    assert {run["state"] for run in wave["runs"]} == {"cancelled"}
    assert [d.name for d in project.ledger.read() if d.what == "cancel"] == [getpass.getuser()] * 2


async def test_a_rejected_plan_leaves_no_wave(project, proposed, call):
    approval = await proposed()
    _, decided = await call("POST", f"approvals/{approval['id']}", {"decision": "reject", "why": "too dear"})
    assert (decided["state"], decided["why"]) == ("rejected", "too dear")
    assert (await call("GET", "waves"))[1] == {"waves": []}
    assert (await call("POST", "waves/1/run"))[0] == 409


async def test_a_stopped_answer_is_kept(project, jp_serverapp, jp_fetch, call):
    """A browser that closes the stream stops the planner, and finds what was said when it comes back."""
    app = jp_serverapp.extension_manager.extension_apps["wavebook"].copy().pop()
    waiting = asyncio.Event()

    class Endless:
        name = label = "endless"

        async def answer(self, request):
            from wavebook.agent.planner import TextDelta

            yield TextDelta("Half of it")
            try:
                await asyncio.sleep(60)
            finally:
                waiting.set()

    app.planner = Endless()
    with suppress(Exception):
        await jp_fetch("wavebook", "api", "chat", method="POST", body=json.dumps({"body": "hello"}), request_timeout=1)
    await asyncio.wait_for(waiting.wait(), 10)
    _, answer = await call("GET", "chat")
    assert [message["body"] for message in answer["messages"]] == ["hello", "Half of it\n\n*Stopped.*"]


async def test_browsers_are_told_what_to_fetch_again(project, jp_serverapp, proposed, call):
    app = jp_serverapp.extension_manager.extension_apps["wavebook"].copy().pop()
    pushed = []

    async def listen(logger, schema_id, data):
        pushed.append(data)

    jp_serverapp.event_logger.add_listener(schema_id=SCHEMA_ID, listener=listen)
    await app._start_jupyter_server_extension(jp_serverapp)
    try:
        await asyncio.sleep(1)
        approval = await proposed()
        await call("POST", f"approvals/{approval['id']}", {"decision": "approve"})
        await until(call, "waves/1", lambda wave: wave["state"] == "done")
        await asyncio.sleep(1)
    finally:
        await app.stop_extension()
    told = [(set(push["what"]), push["run"]) for push in pushed]
    assert set().union(*(what for what, _ in told)) == {"chat", "approvals", "waves"}
    assert {"exp001/s0", "exp002/s0"} & {run for _, run in told}


async def test_nobody_is_told_when_nobody_listens(project, jp_serverapp, proposed, monkeypatch):
    looked = []
    monkeypatch.setattr(ProjectState, "look", lambda self: looked.append(self))
    app = jp_serverapp.extension_manager.extension_apps["wavebook"].copy().pop()
    app.watcher.start()
    await asyncio.sleep(1.2)
    await app.stop_extension()
    assert looked == []
