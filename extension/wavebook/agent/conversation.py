"""One turn of the conversation: a person's message in, the planner's answer out, both kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from wavebook.agent.approvals import Approvals
from wavebook.agent.chat import Chat
from wavebook.agent.planner import Planner, Proposal, Request, TextDelta
from wavebook_tools.errors import UsageError, WavebookError

LONGEST = 10_000
"""Characters of a message; a directive must fit into a plan."""

STOPPED = "*Stopped.*"

Event = dict[str, Any]


def checked(body: object) -> str:
    """The text of a message.

    Raises:
        UsageError: It is no text, empty or too long.
    """
    if not isinstance(body, str):
        raise UsageError("a message needs a 'body' that is a text")
    text = body.strip()
    if not text:
        raise UsageError("the message is empty; write what the next wave should find out")
    if len(text) > LONGEST:
        raise UsageError(f"the message has {len(text)} characters; {LONGEST} are allowed")
    return text


async def turn(chat: Chat, approvals: Approvals, planner: Planner, body: str, *, by: str) -> AsyncGenerator[Event]:
    """Answer a message, as the events of docs/server-api.md.

    What was said is kept also when the listener goes away in the middle of it.

    Args:
        chat: The conversation.
        approvals: Where a proposed plan goes.
        planner: Who answers.
        body: A message that ``checked`` has passed.
        by: The person as the server knows them.
    """
    history = await asyncio.to_thread(chat.messages)
    asked = await asyncio.to_thread(chat.append, "human", body)
    yield {"kind": "message", "message": asked.model_dump()}
    reply = await asyncio.to_thread(chat.append, "agent", "")
    yield {"kind": "message", "message": reply.model_dump()}
    finished = False
    try:
        try:
            async for part in planner.answer(Request(body, history)):
                if isinstance(part, TextDelta):
                    reply.body += part.text
                    yield {"kind": "delta", "id": reply.id, "text": part.text}
                elif isinstance(part, Proposal):
                    approval = await asyncio.to_thread(approvals.propose, part.plan, by=by)
                    reply.approval = approval.id
                    yield {"kind": "approval", "approval": approval.model_dump(mode="json")}
        except WavebookError as error:
            reply.body = _joined(reply.body, f"I could not do that: {error}")
            yield {"kind": "error", "message": str(error)}
        await asyncio.to_thread(chat.update, reply)
        finished = True
    finally:
        if not finished:
            # The task is being cancelled: nothing can be awaited here any more.
            reply.body = _joined(reply.body, STOPPED)
            chat.update(reply)
    yield {"kind": "message", "message": reply.model_dump()}
    yield {"kind": "done"}


def _joined(before: str, after: str) -> str:
    return f"{before.rstrip()}\n\n{after}" if before.strip() else after
