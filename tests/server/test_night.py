"""Night mode through the server: granted, told, stopped."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.agent.night.conftest import ENDLESS, SETTINGS, until
from tests.jobs.conftest import write_template
from wavebook.agent.night import process
from wavebook_tools.records.project import Project


@pytest.fixture
def project(jp_root_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    project = Project.create(jp_root_dir, SETTINGS)
    write_template(project, "train", ENDLESS)
    return project


async def test_a_night_is_granted_told_and_stopped(project, call, jp_fetch):
    assert (await call("GET", "night")) == (200, {"night": None})
    assert (await call("DELETE", "night"))[0] == 404
    assert (await call("POST", "night", {"directive": "learn faster", "waves": 0}))[0] == 400
    assert (await call("POST", "night", {"directive": "learn faster", "until": "reward=3"}))[0] == 400
    asked = {"directive": "learn faster", "waves": 2, "hours": 1}
    # Told before it is granted, so that a person can agree to it.
    status, told = await call("POST", "night/terms", asked)
    assert (status, told["directive"]) == (200, "learn faster")
    assert told["terms"].startswith("2 waves of up to")
    assert (await call("POST", "night/terms", {**asked, "hours": -1}))[0] == 400
    assert (await call("GET", "night")) == (200, {"night": None})
    status, granted = await call("POST", "night", asked)
    assert status == 200
    assert granted["night"]["waves"] == {"used": 0, "allowed": 2}
    assert (await call("POST", "night", {"directive": "another"}))[0] == 409
    # In the conversation the same night is told, and stopped.
    answer = await jp_fetch("wavebook", "api", "chat", method="POST", body=json.dumps({"body": "/night status"}))
    assert b"learn faster" in answer.body
    await jp_fetch("wavebook", "api", "chat", method="POST", body=json.dumps({"body": "/night stop"}))
    for _ in range(600):
        night = (await call("GET", "night"))[1]["night"]
        if night["state"] == "ended":
            break
        await asyncio.sleep(0.1)
    assert night["outcome"] == "stopped"
    await asyncio.to_thread(until, lambda: not process.alive(project), 30)
