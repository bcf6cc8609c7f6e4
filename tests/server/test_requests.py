"""What agents ask for, decided through the server."""

from __future__ import annotations

import asyncio
import getpass

import pytest

from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.requests import Requests
from wavebook.agent.tools.tool import Workspace
from wavebook_tools.records.project import Project


@pytest.fixture
def ask(jp_root_dir):
    project = Project.create(jp_root_dir)

    def put(wave: int) -> None:
        tool = TOOLS["cancel_runs"]
        Requests(project).ask(tool, tool.arguments(wave=wave, why="it hangs"), Workspace(project, "mcp"))

    return put


async def test_a_request_is_decided_once_and_its_result_told(ask, jp_root_dir, call):
    ask(1)
    ask(2)
    _, listed = await call("GET", "requests")
    assert [request["state"] for request in listed["requests"]] == ["pending", "pending"]
    status, denied = await call("POST", "requests/1", {"decision": "deny", "why": "no"})
    assert (status, denied["state"], denied["decided_by"]) == (200, "rejected", getpass.getuser())
    assert (await call("POST", "requests/1", {"decision": "allow"}))[0] == 409
    assert (await call("POST", "requests/9", {"decision": "allow"}))[0] == 404
    assert (await call("POST", "requests/2", {"decision": "maybe"}))[0] == 400
    assert (await call("POST", "requests/2", {"decision": "allow"}))[1]["state"] == "approved"
    for _ in range(200):
        request = (await call("GET", "requests"))[1]["requests"][1]
        if request["state"] != "approved":
            break
        await asyncio.sleep(0.05)
    # Wave 2 does not exist: what was allowed was tried, and why it failed is told.
    assert request["state"] == "failed"
    assert "there is no wave 2" in request["result"]
