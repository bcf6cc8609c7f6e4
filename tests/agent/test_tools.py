"""The tools as other agents meet them, and what waits for a person."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server import MCPServer

from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent.branches import closed_branches
from wavebook.agent.tools.call import LONGEST, Answer, call
from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.requests import LIFETIME, MOST_PENDING, Requests
from wavebook.agent.tools.tool import Access, Workspace
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunState

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"
SETTINGS = f'[training]\ntask = "{TASK}"\nnum_envs = 64\niterations = 60\n[devices]\nuse = ["cpu"]\n'
RETRY = {"wave": 1, "run": "exp002/s0"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "project", SETTINGS)
    draw_wave(
        project.root,
        [Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True), Drawn("heavier", {0: "failed"}, {WEIGHT: 6.0})],
        devices=["cpu"],
    )
    return project


@pytest.fixture
def workspace(project) -> Workspace:
    return Workspace(project, "claude-test")


def use(workspace: Workspace, name: str, **arguments: Any) -> Answer:
    return asyncio.run(call(TOOLS, workspace, name, arguments))


def test_reading_answers_from_the_records(workspace):
    run = "exp001/s0"
    for name, arguments, wanted in (
        ("project_status", {}, "wave 1 ("),
        ("search_records", {"text": "track_lin"}, "exp002 heavier"),
        ("compare_waves", {"waves": [1]}, "exp001 baseline: baseline."),
        ("read_metrics", {"run": run, "names": ["Metrics/error_vel_xy"]}, "lowest"),
        ("read_metrics", {"run": run}, "60 iterations"),
        ("read_alerts", {"run": "exp002/s0"}, "made to be failed"),
        ("read_log", {"run": run}, "printed nothing"),
        ("explain_configuration", {}, "worth varying"),
        ("explain_configuration", {"text": "entropy_coef"}, "agent.algorithm.entropy_coef (float)"),
        ("list_files", {"folder": "waves/001-tracking"}, "wave.json"),
        ("read_file", {"path": "waves/001-tracking/wave.json", "lines": 3}, '"format": 1'),
        ("read_source", {}, "rewards/gait.py"),
        ("read_source", {"path": "rewards/gait.py"}, "def feet_gait"),
        ("launch_wave", {"wave": 7}, "no wave 7"),
    ):
        answer = use(workspace, name, **arguments)
        assert wanted in answer.text, (name, answer.text)
        assert answer.failed == (name == "launch_wave")
        assert len(answer.text) <= LONGEST + 200


def test_a_wave_that_was_proposed_waits_for_a_person(workspace):
    experiments = [
        {"slug": "again", "hypothesis": "The baseline on new seeds.", "seeds": [3, 4], "baseline": True},
        {
            **{"slug": "Even Heavier", "hypothesis": "It tracks better.", "overrides": {WEIGHT: 8.0}},
            **{"prediction": {"metric": "error_vel_xy", "direction": "down"}, "evidence": ["exp001"]},
        },
    ]
    answer = use(workspace, "propose_wave", goal="Track better still", experiments=experiments)
    assert "waits for a person's approval" in answer.text, answer.text
    (approval,) = workspace.approvals.list()
    assert approval.state == "pending"
    assert [experiment.slug for experiment in approval.plan.experiments] == ["again", "even-heavier"]
    assert "an agent cannot give it" in use(workspace, "launch_wave", wave=2).text
    assert [wave.id for wave in workspace.project.waves()] == [1]
    assert f"wave 2 waits for the person's approval (approval {approval.id}" in use(workspace, "project_status").text


@pytest.mark.parametrize(
    ("wave", "experiment", "why"),
    [
        ({"num_envs": 10**9}, {}, "exp003: num_envs is 1000000000; a run has at most 131072 robots"),
        ({}, {"num_envs": 10**9}, "exp004: num_envs is 1000000000; a run has at most 131072 robots"),
        ({"iterations": 10**6}, {}, "exp003: iterations is 1000000; a run has at most 100000"),
        ({"devices": ["7"]}, {}, "device '7' fits no device of this machine"),
        ({"devices": []}, {}, "devices: List should have at least 1 item"),
        ({"gpu_hours": 1e300}, {}, "gpu_hours: Input should be less than or equal to 10000"),
        ({"parent": 99}, {}, "no wave 99"),
        ({}, {"evidence": ["exp999"]}, "evidence 'exp999' is no experiment that was run"),
        ({}, {"evidence": ["../../etc/passwd"]}, "does not name a run"),
        ({}, {"seeds": []}, "seeds: List should have at least 1 item"),
        ({}, {"seeds": list(range(500))}, "seeds: List should have at most 32 items"),
        ({}, {"seeds": list(range(30))}, "the budget allows 12"),
        ({}, {"prediction": {"metric": "error_vel_xy", "direction": "down", "by": 27}}, "predicts a change by 27"),
        ({"goal": "Track better \u202e"}, {}, "goal: line 1: a character that is not seen (U+202E)"),
        ({}, {"hypothesis": "It tracks\x00 better."}, "exp004, hypothesis: line 1: a character that is not seen"),
    ],
)
def test_an_absurd_wave_is_refused_when_it_is_proposed_with_the_limit(workspace, wave, experiment, why):
    experiments = [
        {"slug": "again", "hypothesis": "The baseline on new seeds.", "seeds": [3, 4], "baseline": True},
        {
            **{"slug": "heavier", "hypothesis": "It tracks better.", "overrides": {WEIGHT: 8.0}},
            **{"prediction": {"metric": "error_vel_xy", "direction": "down"}, **experiment},
        },
    ]
    answer = use(workspace, "propose_wave", **{"goal": "Track better", "experiments": experiments, **wave})
    assert answer.failed
    assert why in answer.text
    assert not workspace.approvals.list()


def test_a_closed_branch_refuses_plans_until_it_is_opened(workspace):
    why = "Three runs ended at terrain level 0.0."
    assert not use(workspace, "close_branch", branch="track_lin_vel_xy_exp", why=why, evidence=["exp002/s0"]).failed
    assert closed_branches(workspace.project) == {"track_lin_vel_xy_exp": why}
    heavier = {
        **{"slug": "heavier", "hypothesis": "It tracks better.", "overrides": {WEIGHT: 8.0}},
        "prediction": {"metric": "error_vel_xy", "direction": "down"},
    }
    again = {"slug": "again", "hypothesis": "The baseline again.", "seeds": [3, 4], "baseline": True}
    wave = {"goal": "Track better", "experiments": [again, heavier]}
    assert "is closed (Three runs" in use(workspace, "propose_wave", **wave).text
    assert use(workspace, "open_branch", branch="track_lin_vel", why="A new idea for it.").failed
    assert not use(workspace, "open_branch", branch="track_lin_vel_xy_exp", why="A new idea for it.").failed
    assert not use(workspace, "propose_wave", **wave).failed
    actors = {decision.actor for decision in workspace.project.ledger.read() if "branch" in decision.what}
    assert actors == {"agent"}


def test_a_branch_that_covers_nothing_is_not_closed(workspace):
    refused = use(workspace, "close_branch", branch="env.rewards.feet_air_tme", why="the robots fall without it")
    assert refused.failed
    assert "Did you mean 'env.rewards.feet_air_time" in refused.text
    assert closed_branches(workspace.project) == {}


def test_what_ends_or_spends_waits_and_is_done_once_when_a_person_allows_it(workspace, monkeypatch):
    monkeypatch.setattr(Queue, "ensure_dispatcher", lambda self: None)  # the repeat stays in the queue
    project = workspace.project
    with Queue(project) as queue:
        queue.store.add((record.spec(), project.relative(record.path)) for record in project.runs())
        queue.store.start("exp002/s0", "cpu")
        queue.store.finish("exp002/s0", RunState.FAILED)
    answer = use(workspace, "retry_runs", **RETRY)
    assert "needs a person's approval and was not executed" in answer.text
    assert "waits for a person already" in use(workspace, "retry_runs", **RETRY).text
    assert len(project.runs()) == 3
    requests = Requests(project)
    (request,) = requests.list()
    assert (request.state, json.loads(request.arguments)) == ("pending", RETRY)
    with pytest.raises(WavebookError, match="only what was approved"):
        requests.execute(request.id, TOOLS)
    requests.decide(request.id, approve=True, by="ada", why="worth it")
    with pytest.raises(WavebookError, match="is approved already"):
        requests.decide(request.id, approve=False, by="bob")
    done = requests.execute(request.id, TOOLS)
    assert (done.state, done.decided_by) == ("done", "ada")
    assert "exp002/s0-r1" in done.result
    with pytest.raises(WavebookError, match="only what was approved"):
        requests.execute(request.id, TOOLS)
    assert [(d.actor, d.name, d.what) for d in project.ledger.read()] == [
        ("agent", "claude-test", "ask"),
        ("human", "ada", "approve"),
        ("human", "ada", "retry"),
    ]


def test_a_request_that_nobody_decides_is_denied_and_there_are_never_many(workspace):
    now = [1_800_000_000.0]
    requests = Requests(workspace.project, clock=lambda: now[0])
    tool = TOOLS["cancel_runs"]
    for number in range(MOST_PENDING):
        requests.ask(tool, tool.arguments(wave=number + 1, why="it hangs"), workspace)
    with pytest.raises(WavebookError, match="20 requests wait"):
        requests.ask(tool, tool.arguments(wave=99, why="it hangs"), workspace)
    now[0] += LIFETIME + 1
    assert {request.state for request in requests.list()} == {"expired"}
    with pytest.raises(WavebookError, match="expired already"):
        requests.decide(1, approve=True, by="ada")


def test_other_agents_get_the_same_tools_over_mcp(project):
    async def talk() -> tuple[Any, Any, Any]:
        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-m", "wavebook", "mcp", "--project", str(project.root)],
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        )
        async with Client(stdio_client(parameters)) as client:
            return (
                (await client.list_tools()).tools,
                await client.call_tool("project_status", {}),
                await client.call_tool("cancel_runs", {"wave": 1, "why": "it hangs"}),
            )

    tools, status, cancelled = asyncio.run(talk())
    assert [tool.name for tool in tools] == list(TOOLS)
    read_only = {tool.name for tool in tools if tool.annotations.read_only_hint}
    assert read_only == {name for name, tool in TOOLS.items() if tool.access is Access.READ}
    assert "wave 1 (" in status.content[0].text
    assert "needs a person's approval" in cancelled.content[0].text
    assert [(request.tool, request.actor) for request in Requests(project).list()] == [("cancel_runs", "mcp")]


def test_other_agents_in_jupyterlab_find_the_tools_as_functions(project, monkeypatch):
    monkeypatch.chdir(project.root)
    (entry_point,) = entry_points(group="jupyter_server_mcp.tools", name="wavebook")
    server = MCPServer("test")
    for specification in entry_point.load()():
        module, _, name = specification.partition(":")
        server.add_tool(getattr(sys.modules[module], name))

    async def talk() -> tuple[list[Any], Any]:
        async with Client(server) as client:
            return (await client.list_tools()).tools, await client.call_tool("compare_waves", {"waves": [1]})

    tools, compared = asyncio.run(talk())
    assert [tool.name for tool in tools] == list(TOOLS)
    assert next(t for t in tools if t.name == "read_log").input_schema["required"] == ["run"]
    assert "exp001 baseline" in compared.content[0].text
