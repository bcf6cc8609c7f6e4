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
