"""One turn of the conversation: a person's message in, the planner's answer out, both kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from wavebook.agent.approvals import Approvals
from wavebook.agent.chat import Attachment, Chat
from wavebook.agent.planner import Planner, Proposal, Request, TextDelta, ToolCall, ToolResult
from wavebook.agent.slash import Command, command_of, follow
from wavebook.agent.standing import approve_within_budget
from wavebook.agent.toolparts import Parts
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


async def turn(
    chat: Chat,
    approvals: Approvals,
    planner: Planner,
    body: str,
    *,
    by: str,
    attachments: Sequence[Attachment] = (),
    replace: int | None = None,
) -> AsyncGenerator[Event]:
    """Answer a message, as the events of docs/server-api.md.

    What was said is kept also when the listener goes away in the middle of it.

    Args:
        chat: The conversation.
        approvals: Where a proposed plan goes.
        planner: Who answers.
        body: A message that ``checked`` has passed.
        by: The person as the server knows them.
        attachments: What the person points at, checked by ``wavebook.agent.attachments.checked_attachments``.
        replace: Id of an own message that this one takes the place of; what came after it goes with it.

    Raises:
        NotFoundError: There is no such message to replace.
    """
    if replace is not None:
        await asyncio.to_thread(_take_back, chat, approvals, replace, by)
    history = await asyncio.to_thread(chat.messages)
    asked = await asyncio.to_thread(chat.append, "human", body, attachments=attachments)
    yield {"kind": "message", "message": asked.model_dump()}
    reply = await asyncio.to_thread(chat.append, "agent", "")
    yield {"kind": "message", "message": reply.model_dump()}
    parts = Parts(reply)
    finished = False
    try:
        try:
            command = command_of(body)
            if command is None or command.plans:
                asked_for = body if command is None else command.directive
                answer = planner.answer(Request(asked_for, history, attachments))
            else:
                answer = _followed(command, approvals, by)
            async for part in answer:
                if isinstance(part, TextDelta):
                    parts.text(part.text)
                    yield {"kind": "delta", "id": reply.id, "text": part.text}
                elif isinstance(part, ToolCall):
                    yield {"kind": "tool", "id": reply.id, "part": parts.call(part).model_dump()}
                elif isinstance(part, ToolResult):
                    if (done := parts.result(part)) is not None:
                        yield {"kind": "tool", "id": reply.id, "part": done.model_dump()}
                elif isinstance(part, Proposal):
                    approval = await asyncio.to_thread(approvals.propose, part.plan, by=by)
                    if part.replaces is not None:
                        reason = f"wave {part.plan.id} takes its place: «{body}»"
                        await asyncio.to_thread(approvals.withdraw, part.replaces, by, reason)
                    why = ""
                    if not part.foreign:  # what a log or a file says must not spend a budget
                        approval, why = await asyncio.to_thread(approve_within_budget, approvals, approval)
                    if why:
                        parts.end(why)
                    reply.approval = approval.id
                    yield {"kind": "approval", "approval": approval.model_dump(mode="json")}
        except WavebookError as error:
            parts.end(f"I could not do that: {error}")
            yield {"kind": "error", "message": str(error)}
        await asyncio.to_thread(chat.update, reply)
        finished = True
    finally:
        if not finished:
            # The task is being cancelled: nothing can be awaited here any more.
            parts.end(STOPPED)
            chat.update(reply)
    yield {"kind": "message", "message": reply.model_dump()}
    yield {"kind": "done"}


async def _followed(command: Command, approvals: Approvals, by: str) -> AsyncGenerator[TextDelta]:
    yield TextDelta(await asyncio.to_thread(follow, command, approvals, by))


def _take_back(chat: Chat, approvals: Approvals, message_id: int, by: str) -> None:
    for message in chat.take_back(message_id):
        if message.approval is not None and approvals.get(message.approval).state == "pending":
            approvals.decide(message.approval, "reject", by, "its directive was asked again")
