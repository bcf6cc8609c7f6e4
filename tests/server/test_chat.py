import json

import pytest


def events(body: bytes) -> list[dict]:
    return [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]


@pytest.fixture
def say(jp_fetch):
    async def post(body: str) -> list[dict]:
        answer = await jp_fetch("wavebook", "api", "chat", method="POST", body=json.dumps({"body": body}))
        assert answer.headers["Content-Type"] == "text/event-stream"
        return events(answer.body)

    return post


async def test_a_directive_is_answered_with_a_stream_and_a_plan(say, call):
    told = await say("make DHAV1 track velocity better on flat ground, 2 experiments, 64 robots, 20 iterations")
    kinds = [event["kind"] for event in told]
    assert kinds[:2] == ["message", "message"]
    assert kinds[-3:] == ["approval", "message", "done"]
    asked, begun, final = told[0]["message"], told[1]["message"], told[-2]["message"]
    assert (asked["sender"], begun["sender"]) == ("human", "agent")
    assert final["id"] == begun["id"]
    assert final["body"] == "".join(event["text"] for event in told if event["kind"] == "delta")
    approval = told[-3]["approval"]
    assert final["approval"] == approval["id"]
    assert approval["state"] == "pending"
    assert approval["estimate"]["runs"] == 3
    assert [len(experiment["seeds"]) for experiment in approval["plan"]["experiments"]] == [2, 1]
    assert approval["plan"]["num_envs"] == 64

    assert (await call("GET", "chat"))[1]["messages"] == [asked, final]
    assert (await call("GET", "approvals"))[1] == {"approvals": [approval]}


async def test_attachments_must_lie_under_the_project(call):
    for path, code in [("../secret", 400), ("/etc/passwd", 400), ("nothing.ipynb", 404)]:
        attachment = {"kind": "file", "path": path}
        assert (await call("POST", "chat", {"body": "look", "attachments": [attachment]}))[0] == code
    assert (await call("GET", "chat"))[1] == {"messages": []}


async def test_conversations_are_opened_renamed_and_deleted(say, call):
    await say("/status")
    await call("DELETE", "chat")
    await say("/budget")
    listed = (await call("GET", "conversations"))[1]["conversations"]
    assert [(entry["title"], entry["messages"], entry["current"]) for entry in listed] == [
        ("/budget", 2, True),
        ("/status", 2, False),
    ]
    older = listed[1]["id"]
    assert (await call("POST", f"conversations/{older}", {"title": "Where we stand", "open": True}))[0] == 200
    assert (await call("GET", "chat"))[1]["messages"][0]["body"] == "/status"
    status, answer = await call("DELETE", f"conversations/{older}")
    assert (status, [entry["title"] for entry in answer["conversations"]]) == (200, ["/budget"])
    assert (await call("POST", f"conversations/{older}", {"open": True}))[0] == 404


async def test_changes_of_a_plan_are_tried_before_they_are_approved(say, call):
    await say("make DHAV1 track velocity better on flat ground, 2 experiments, 64 robots, 20 iterations")
    approval = (await call("GET", "approvals"))[1]["approvals"][0]
    identifier, experiment = approval["id"], approval["plan"]["experiments"][1]
    name = next(iter(experiment["overrides"]))
    assert name in approval["base"]
    wrong = {"experiments": {experiment["id"]: {"overrides": {name: "much"}}}}
    checked = (await call("POST", f"approvals/{identifier}/check", {"changes": wrong}))[1]
    assert list(checked["problems"]) == [f"{experiment['id']}.overrides.{name}"]
    status, refused = await call("POST", f"approvals/{identifier}", {"decision": "approve", "changes": wrong})
    assert (status, "much" in refused["message"]) == (400, True)
    right = {"experiments": {experiment["id"]: {"seeds": [0, 1, 2]}}}
    checked = (await call("POST", f"approvals/{identifier}/check", {"changes": right}))[1]
    assert (checked["problems"], checked["estimate"]["runs"]) == ({}, 5)


async def test_the_standing_budget_is_given_and_revoked(call):
    assert (await call("GET", "budget"))[1] == {"budget": None}
    given = (await call("POST", "budget", {"runs": 6, "gpu_hours": 2.0}))[1]["budget"]
    assert (given["runs"], given["gpu_hours"], given["reserved"]) == (6, 2.0, 0.0)
    assert (await call("POST", "budget", {"runs": 0, "gpu_hours": 2.0}))[0] == 400
    assert (await call("DELETE", "budget"))[1] == {"budget": None}
    assert (await call("DELETE", "budget"))[0] == 409
