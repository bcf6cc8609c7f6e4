"""An answer's text and tool calls in their order, bounded, as they are kept with the message."""

from __future__ import annotations

import json
from typing import Any

from wavebook.agent.chat import Message, TextPart, ToolPart
from wavebook.agent.planner import ToolCall, ToolResult
from wavebook_tools.records.redaction import redact, redact_document

MOST_CALLS = 200
"""Tool calls that are kept with a message; later ones are shown while they happen and not kept."""

LONGEST = 4000
"""Characters of a call's arguments or of its result."""


class Parts:
    """Collects an answer into its message. Without a tool call the body says everything and parts stay empty."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._calls: dict[str, ToolPart] = {}

    def text(self, text: str) -> None:
        """Append text."""
        parts = self._message.parts
        if not parts and self._message.body:
            parts.append(TextPart(text=self._message.body))
        self._message.body += text
        if parts and isinstance(parts[-1], TextPart):
            parts[-1].text += text
        elif parts:
            parts.append(TextPart(text=text))

    def end(self, text: str) -> None:
        """Append a last paragraph."""
        message = self._message
        message.body = message.body.rstrip()
        if message.parts and isinstance(message.parts[-1], TextPart):
            message.parts[-1].text = message.parts[-1].text.rstrip()
        self.text(f"\n\n{text}" if message.body else text)

    def call(self, call: ToolCall) -> ToolPart:
        """A tool begins to work."""
        parts = self._message.parts
        if not parts and self._message.body:
            parts.append(TextPart(text=self._message.body))
        part = ToolPart(id=call.id, name=call.name, arguments=_bounded(call.arguments))
        if len(self._calls) < MOST_CALLS:
            parts.append(part)
        self._calls[call.id] = part
        return part

    def result(self, result: ToolResult) -> ToolPart | None:
        """A tool has answered; None where nobody called it."""
        part = self._calls.get(result.id)
        if part is not None:
            part.result, part.failed = _cut(redact(result.text)), result.failed
        return part


def _bounded(arguments: dict[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = redact_document(arguments)
    text = json.dumps(clean, ensure_ascii=False, default=str)
    return clean if len(text) <= LONGEST else {"…": _cut(text)}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… {len(text) - LONGEST} more characters"
