"""The conversation as Claude reads it: earlier messages, compacted where they are long, then how things stand now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from wavebook.agent.attachments import named
from wavebook.agent.chat import Message
from wavebook.agent.database import opened
from wavebook.agent.planner import Request
from wavebook_tools.records.project import Project
from wavebook_tools.records.redaction import redact

Turn = dict[str, Any]
"""A message as the Messages API takes it."""

CHARACTERS_PER_TOKEN = 3.0
"""On the safe side: English has about four, numbers and code have fewer."""

KEPT = 6
"""So many messages at the end are never summarised."""

FOOTNOTE = "\n\n*— "
"""How the line begins that counts tokens; it is no part of what was said."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS summaries (
    upto INTEGER PRIMARY KEY,
    text TEXT NOT NULL
);
"""

SUMMARISE = """\
Summarise the conversation above for yourself: you will go on with it and see only the summary. Keep what the \
person asked for and wants kept or avoided, what was found with the experiments it rests on and their numbers, \
what was decided and by whom, what was given up and why, and what is still open. Leave out greetings and what \
the records tell anyway. At most 600 words."""


def tokens_of(messages: Sequence[Message]) -> float:
    """About how many tokens messages have."""
    return sum(len(message.body) for message in messages) / CHARACTERS_PER_TOKEN


def spoken(message: Message) -> str:
    """What a message says to a model."""
    text = redact(re.sub(re.escape(FOOTNOTE) + r".*\*\s*$", "", message.body, flags=re.DOTALL).strip())
    if message.approval is not None:
        text += f"\n\n(This proposed a wave, as approval {message.approval}.)"
    return text


def conversation(request: Request, situation: str, summary: str | None = None, after: int | None = None) -> list[Turn]:
    """The messages of a request: those of the conversation, and the person's new one beside how things stand now.

    Args:
        request: What the person wrote, and the conversation before it.
        situation: How the project stands, read from records at this moment.
        summary: Stands for all messages up to the id ``after``.
        after: See ``summary``.
    """
    turns: list[tuple[str, str]] = []
    if summary is not None:
        turns.append(("user", f"(Summary of the conversation so far)\n{summary}"))
    for message in request.history:
        text = spoken(message)
        if text and (after is None or message.id > after):
            turns.append(("user" if message.sender == "human" else "assistant", text))
    while turns and turns[0][0] == "assistant":
        turns.pop(0)  # the API wants the person first
    messages: list[Turn] = []
    for role, text in turns:
        _append(messages, role, {"type": "text", "text": text})
    _append(messages, "user", {"type": "text", "text": f"(How the project stands now)\n{redact(situation)}"})
    if request.unattended is not None:
        _append(messages, "user", {"type": "text", "text": redact(request.unattended.text)})
    _append(messages, "user", {"type": "text", "text": redact(named(request.body, request.attachments))})
    return messages


def _append(messages: list[Turn], role: str, block: Turn) -> None:
    last = messages[-1] if messages else None
    if last is not None and last["role"] == role:
        last["content"].append(block)
    else:
        messages.append({"role": role, "content": [block]})


class Summaries:
    """Summaries of long conversations, made once and kept, so that what precedes them stays cached."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def newest(self, history: Sequence[Message]) -> tuple[str | None, int | None]:
        """The newest summary of this conversation, and the last message that it covers."""
        ids = {message.id for message in history}
        if not ids or not self.project.database_path.exists():
            return None, None
        with opened(self.project, SCHEMA) as connection:
            rows = connection.execute("SELECT upto, text FROM summaries ORDER BY upto DESC").fetchall()
        return next(((str(row["text"]), int(row["upto"])) for row in rows if row["upto"] in ids), (None, None))

    def keep(self, upto: int, text: str) -> None:
        """Keep the summary of everything up to a message."""
        with opened(self.project, SCHEMA) as connection:
            connection.execute("INSERT OR REPLACE INTO summaries (upto, text) VALUES (?, ?)", (upto, redact(text)))


def to_summarise(history: Sequence[Message], after: int | None, limit: float) -> Sequence[Message]:
    """The messages that a new summary should cover: none where the rest is short enough."""
    rest = [message for message in history if after is None or message.id > after]
    if tokens_of(rest) <= limit or len(rest) <= KEPT:
        return []
    return rest[:-KEPT]
