"""``chat``: the conversation, and the stream that answers a message."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.iostream import StreamClosedError
from tornado.web import authenticated

from wavebook.agent.chat import Chat
from wavebook.agent.conversation import checked, turn
from wavebook.routes.base import Body, RefusedError, RouteHandler
from wavebook_tools.errors import WavebookError


class MessageBody(Body):
    """A person's message."""

    body: str


def all_messages(chat: Chat) -> dict[str, Any]:
    """The conversation, oldest first."""
    return {"messages": [message.model_dump() for message in chat.messages()]}


class ChatHandler(RouteHandler):
    """The conversation."""

    _answering: asyncio.Task[None] | None = None

    @authenticated
    @authorized
    async def get(self) -> None:
        self.finish(await self.work(all_messages, self.app.chat))

    @authenticated
    @authorized
    async def delete(self) -> None:
        await self.work(self.app.chat.start_anew)
        self.finish({"messages": []})

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body(MessageBody).body
        try:
            text = checked(body)
        except WavebookError as error:
            raise RefusedError(error) from error
        await self.work(self.app.project.settings)  # what would fail anyway fails before the stream begins
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")  # a proxy in between must not collect the stream
        self._answering = asyncio.create_task(self._answer(text))
        try:
            await self._answering
        except (asyncio.CancelledError, StreamClosedError):
            return
        await self.finish(set_content_type="text/event-stream")

    async def _answer(self, text: str) -> None:
        app = self.app
        # One answer at a time, so that two tabs do not plan the same wave.
        async with app.planning, aclosing(turn(app.chat, app.approvals, app.planner, text, by=self.person)) as events:
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


ROUTES = [("chat", ChatHandler)]
