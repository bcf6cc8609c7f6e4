from __future__ import annotations

import asyncio

import pytest

from wavebook.agent.chat import Chat
from wavebook.agent.conversation import checked, turn
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.planner import TextDelta
from wavebook_tools.errors import UsageError, WavebookError

FLAT = "track velocity better on flat ground, 2 experiments"


def play(project, approvals, body, planner=None):
    async def collect():
        chat = Chat(project)
        return [event async for event in turn(chat, approvals, planner or OfflinePlanner(project), body, by="ada")]

    return asyncio.run(collect())


def test_a_conversation_outlives_the_process_and_can_begin_anew(project):
    chat = Chat(project)
    assert chat.messages() == []
    first = chat.append("human", "hello")
    second = chat.append("agent", "")
    second.body = "**Hello.**"
    chat.update(second)
    assert Chat(project).messages() == [first, second]
    chat.start_anew()
    assert chat.messages() == []
    assert chat.append("human", "again").id > second.id
    assert [message.body for message in chat.messages()] == ["again"]


def test_a_plan_is_tied_to_the_message_that_proposed_it(project, approvals):
    events = play(project, approvals, FLAT)
    assert [event["kind"] for event in events if event["kind"] != "delta"] == [
        "message",
        "message",
        "approval",
        "message",
        "done",
    ]
    (approval,) = approvals.list()
    assert Chat(project).messages()[-1].approval == approval.id
    assert project.ledger.read()[0].name == "ada"


def test_what_cannot_be_planned_ends_in_the_conversation(project, approvals):
    events = play(project, approvals, "learning rate 5")
    assert [event["kind"] for event in events][-3:] == ["error", "message", "done"]
    assert "above the largest value" in events[-3]["message"]
    assert Chat(project).messages()[-1].body.endswith(events[-3]["message"])
    assert approvals.list() == []


def test_what_was_said_is_kept_when_the_listener_goes_away(project, approvals):
    class Slow:
        name = label = "slow"

        async def answer(self, request):
            yield TextDelta("Half of ")
            await asyncio.sleep(60)
            yield TextDelta("the answer")

    async def interrupted():
        told = asyncio.Event()

        async def listen():
            async for event in turn(Chat(project), approvals, Slow(), "hello", by="ada"):
                if event["kind"] == "delta":
                    told.set()

        task = asyncio.create_task(listen())
        await told.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert [message.body for message in Chat(project).messages()] == ["hello", "Half of\n\n*Stopped.*"]


def test_the_planner_sees_the_conversation_before_the_message(project, approvals):
    seen = []

    class Listening:
        name = label = "listening"

        async def answer(self, request):
            seen.append((request.body, [message.body for message in request.history]))
            yield TextDelta("yes")

    play(project, approvals, "first", Listening())
    play(project, approvals, "second", Listening())
    assert seen == [("first", []), ("second", ["first", "yes"])]


def test_a_failing_planner_is_told_and_the_text_before_is_kept(project, approvals):
    class Failing:
        name = label = "failing"

        async def answer(self, request):
            yield TextDelta("So far")
            raise WavebookError("the records are gone")

    play(project, approvals, "hello", Failing())
    assert Chat(project).messages()[-1].body == "So far\n\nI could not do that: the records are gone"


@pytest.mark.parametrize(("body", "told"), [(None, "a text"), ("", "empty"), (" \n", "empty"), ("x" * 10_001, "10001")])
def test_messages_that_are_none_are_refused(body, told):
    with pytest.raises(UsageError, match=told):
        checked(body)
