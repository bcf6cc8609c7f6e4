"""Claude behind the sidebar: its name, its answer as it streams, and the plan that waits for a person."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.agent.messages_server import KEY, serving
from tests.projects import TASK
from wavebook_tools.records.project import Project

SCRIPT = Path(__file__).parents[1] / "agent" / "scripts" / "first-wave.yaml"


async def test_a_directive_becomes_an_approval_with_the_models_name(jp_root_dir, jp_fetch, call, monkeypatch):
    script = yaml.safe_load(SCRIPT.read_text())
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(script["turns"]) as server:
        settings = f'[training]\ntask = "{TASK}"\n[planner.claude]\nbase_url = "{server.url}"\n'
        project = Project.create(jp_root_dir, settings)
        _, described = await call("GET", "project")
        assert described["planner"] == {"name": "claude-opus-5-5", "label": "Claude (claude-opus-5-5 at 127.0.0.1)"}
        answer = await jp_fetch(
            "wavebook", "api", "chat", method="POST", body=json.dumps({"body": script["say"]}), request_timeout=60
        )
    assert server.refused == []
    events = [json.loads(line.removeprefix("data: ")) for line in answer.body.decode().split("\n\n") if line]
    text = "".join(event["text"] for event in events if event["kind"] == "delta")
    assert script["outcome"]["said"][0] in text
    assert "tokens read" in text
    _, listed = await call("GET", "approvals")
    (approval,) = listed["approvals"]
    assert (approval["state"], approval["plan"]["planner"]) == ("pending", "claude-opus-5-5")
    assert approval["plan"]["experiments"][1]["overrides"] == script["outcome"]["overrides"]
    actors = [(decision.actor, decision.what) for decision in project.ledger.read()]
    assert actors == [("human", "directive"), ("agent", "plan")]
    assert project.waves() == []
    assert KEY not in answer.body.decode()
