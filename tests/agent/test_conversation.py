from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from wavebook.agent.chat import SCHEMA, Attachment, Chat
from wavebook.agent.conversation import checked, turn
from wavebook.agent.database import opened
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.planner import TextDelta, ToolCall, ToolResult
from wavebook_tools.errors import NotFoundError, UsageError, WavebookError

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


class Reader:
    name = "reader"
    label = "Reader"

    async def answer(self, request):
        yield TextDelta("I look. ")
        yield ToolCall("1", "read_file", {"path": request.attachments[0].path})
        yield ToolResult("1", "x" * 5000)
        yield TextDelta("Seen.")


def test_tool_calls_are_told_and_kept_in_their_order_and_bounded(project, approvals):
    async def collect():
        attachments = [Attachment(kind="file", path="a.md")]
        return [e async for e in turn(Chat(project), approvals, Reader(), "look", by="ada", attachments=attachments)]

    events = asyncio.run(collect())
    called, answered = [event["part"] for event in events if event["kind"] == "tool"]
    assert (called["result"], called["arguments"]) == (None, {"path": "a.md"})
    assert 4000 < len(answered["result"]) < 4100
    asked, kept = Chat(project).messages()
    assert asked.attachments == [Attachment(kind="file", path="a.md")]
    assert [part.kind for part in kept.parts] == ["text", "tool", "text"]
    assert kept.body == "I look. Seen."


def test_an_own_message_is_asked_again_and_its_waiting_plan_is_rejected(project, approvals):
    first = play(project, approvals, FLAT)[0]["message"]["id"]

    async def again():
        planner = OfflinePlanner(project)
        return [e async for e in turn(Chat(project), approvals, planner, "/status", by="ada", replace=first)]

    asyncio.run(again())
    assert Chat(project).messages()[0].body == "/status"
    assert len(Chat(project).messages()) == 2
    assert [approval.state for approval in approvals.list()] == ["rejected"]
    with pytest.raises(NotFoundError, match=f"no message {first} of yours"):
        asyncio.run(again())


def test_conversations_are_listed_opened_renamed_and_deleted(project):
    chat = Chat(project)
    chat.append("human", "walk faster")
    chat.start_anew()
    chat.append("human", "climb")
    newer, older = chat.conversations()
    assert (newer.title, newer.current, older.title, older.messages) == ("climb", True, "walk faster", 1)
    chat.open(older.id)
    assert [message.body for message in Chat(project).messages()] == ["walk faster"]
    chat.rename(older.id, "Speed")
    assert Chat(project).conversations()[0].title == "Speed"
    chat.delete(older.id)
    assert [message.body for message in chat.messages()] == ["climb"]
    with pytest.raises(NotFoundError, match=f"no conversation {older.id}"):
        chat.open(older.id)


def test_a_conversation_is_named_by_its_first_message_without_markdown(project):
    chat = Chat(project)
    chat.append("agent", "**Night 1** is over (it was stopped): by ada.\n\nThe report: `report.ipynb`.")
    assert chat.conversations()[0].title == "Night 1 is over (it was stopped): by ada. The report: report"


def test_messages_of_an_earlier_version_are_still_read(project):
    with opened(project, SCHEMA) as connection:
        connection.execute("INSERT INTO conversations (created) VALUES (1.0)")
        connection.execute("INSERT INTO messages (conversation, time, sender, body) VALUES (1, 1.0, 'human', 'old')")
    assert [message.body for message in Chat(project).messages()] == ["old"]


def test_a_panel_that_asks_twice_at_once_finds_the_first_tables(project):
    with opened(project, ""):  # a plan from the command line has made the database, without conversations
        pass
    for _ in range(20):
        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(question) for question in [Chat(project).messages, Chat(project).conversations] * 4]
        assert [list(answer.result()) for answer in asked] == [[]] * 8
        with opened(project, "") as connection:
            connection.executescript("DROP TABLE messages; DROP TABLE conversations")
