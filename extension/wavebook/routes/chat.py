"""``chat`` and ``conversations``: the conversations, and the stream that answers a message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from jupyter_server.auth.decorator import authorized
from pydantic import Field
from tornado.iostream import StreamClosedError
from tornado.web import authenticated

from wavebook.agent.attachments import checked_attachments
from wavebook.agent.chat import Attachment, Chat
from wavebook.agent.conversation import checked, turn
from wavebook.routes.base import Body, RefusedError, RouteHandler
from wavebook_tools.errors import WavebookError


class MessageBody(Body):
    """A person's message."""

    body: str
    attachments: list[Attachment] = Field(default_factory=list)
    replace: int | None = None
    """An own message that this one takes the place of, with all that came after it."""


class ConversationBody(Body):
    """What to change of a conversation."""

    title: str | None = Field(default=None, max_length=120)
    open: bool = False


def all_messages(chat: Chat) -> dict[str, Any]:
    """The conversation, oldest first."""
    return {"messages": [message.model_dump() for message in chat.messages()]}


def all_conversations(chat: Chat) -> dict[str, Any]:
    """The conversations, the current one first."""
    return {"conversations": [conversation.model_dump() for conversation in chat.conversations()]}


class ChatHandler(RouteHandler):
    """The conversation."""

    _answering: asyncio.Task[None] | None = None

    @authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(all_messages, self.app.chat)

    @authenticated
    @authorized
    async def delete(self) -> None:
        await self.work(self.app.chat.start_anew)
        self.finish({"messages": []})

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body(MessageBody)
        try:
            text = checked(body.body)
        except WavebookError as error:
            raise RefusedError(error) from error
        attachments = await self.work(checked_attachments, self.app.project, body.attachments)
        await self.work(self.app.project.settings)  # what would fail anyway fails before the stream begins
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")  # a proxy in between must not collect the stream
        self._answering = asyncio.create_task(self._answer(text, attachments, body.replace))
        try:
            await self._answering
        except (asyncio.CancelledError, StreamClosedError):
            return
        await self.finish(set_content_type="text/event-stream")

    async def _answer(self, text: str, attachments: list[Attachment], replace: int | None) -> None:
        app = self.app
        # One answer at a time, so that two tabs do not plan the same wave.
        async with app.planning:
            events = turn(
                app.chat,
                app.approvals,
                app.planner,
                text,
                by=self.person,
                attachments=attachments,
                replace=replace,
            )
            await self._tell(events)

    async def _tell(self, told: AsyncGenerator[dict[str, Any]]) -> None:
        async with aclosing(told) as events:
            try:
                async for event in events:
                    await self._send(event)
            except WavebookError as error:
                await self._send({"kind": "error", "message": str(error)})
                await self._send({"kind": "done"})

    async def _send(self, event: dict[str, Any]) -> None:
        self.write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n")
        await self.flush()

    def on_connection_close(self) -> None:
        """The person pressed Stop or went away."""
        super().on_connection_close()
        if self._answering is not None:
            self._answering.cancel()


class ConversationsHandler(RouteHandler):
    """All conversations."""

    @authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(all_conversations, self.app.chat)


class ConversationHandler(RouteHandler):
    """One conversation: opened, renamed or deleted."""

    @authenticated
    @authorized
    async def post(self, conversation: str) -> None:
        number, body = self.number("conversation", conversation), self.body(ConversationBody)
        if body.title is not None:
            await self.work(self.app.chat.rename, number, body.title.strip())
        if body.open:
            await self.work(self.app.chat.open, number)
        await self.answer(all_conversations, self.app.chat)

    @authenticated
    @authorized
    async def delete(self, conversation: str) -> None:
        await self.work(self.app.chat.delete, self.number("conversation", conversation))
        await self.answer(all_conversations, self.app.chat)


ROUTES = [
    ("chat", ChatHandler),
    ("conversations", ConversationsHandler),
    ("conversations/([^/]+)", ConversationHandler),
]
