"""The conversations between a person and the agent, kept in the project's database."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from wavebook.agent.database import opened, transaction
from wavebook_tools.errors import NotFoundError
from wavebook_tools.records.database import missing_columns
from wavebook_tools.records.project import Project

SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    time REAL NOT NULL,
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    approval INTEGER
);
CREATE INDEX IF NOT EXISTS messages_by_conversation ON messages (conversation, id);
"""

LATER_COLUMNS = {
    "conversations": {"title": "TEXT NOT NULL DEFAULT ''", "opened": "REAL NOT NULL DEFAULT 0"},
    "messages": {"parts": "TEXT NOT NULL DEFAULT '[]'", "attachments": "TEXT NOT NULL DEFAULT '[]'"},
}
"""What databases of an earlier version lack."""

CURRENT = "(SELECT id FROM conversations ORDER BY opened DESC, id DESC LIMIT 1)"

Sender = Literal["human", "agent"]


class TextPart(BaseModel):
    """A piece of an answer between two tool calls."""

    kind: Literal["text"] = "text"
    text: str


class ToolPart(BaseModel):
    """A tool that the agent used."""

    kind: Literal["tool"] = "tool"
    id: str
    name: str
    arguments: dict[str, Any]
    result: str | None = None
    """None while the tool works, and where the answer was stopped before it ended."""
    failed: bool = False


MessagePart = Annotated[TextPart | ToolPart, Field(discriminator="kind")]


class Attachment(BaseModel):
    """What a person laid beside a message: a reference, never the content."""

    kind: Literal["run", "notebook", "file"]
    path: str
    """Relative to the project; of a run its name, as ``exp001/s0``."""


class Message(BaseModel):
    """One message, as the sidebar shows it."""

    id: int
    time: float
    """Unix seconds."""
    sender: Sender
    body: str
    """Markdown."""
    approval: int | None = None
    """The approval that this message proposed."""
    parts: list[MessagePart] = Field(default_factory=list)
    """Text and tool calls in their order, where tools were used; ``body`` is the text alone."""
    attachments: list[Attachment] = Field(default_factory=list)


class ConversationInfo(BaseModel):
    """One of the project's conversations, as the list shows it."""

    id: int
    title: str
    """What a person called it, else how it begins."""
    created: float
    messages: int
    current: bool


class Chat:
    """The conversations of a project. One is current: the last that a person opened, also after a restart."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def messages(self) -> list[Message]:
        """The messages of the current conversation, oldest first."""
        if not self.project.database_path.exists():
            return []
        with self._opened() as connection:
            rows = connection.execute(
                "SELECT id, time, sender, body, approval, parts, attachments FROM messages "
                f"WHERE conversation = {CURRENT} ORDER BY id"
            )
            return [_message(row) for row in rows]

    def append(self, sender: Sender, body: str, *, attachments: Sequence[Attachment] = ()) -> Message:
        """Add a message at the end of the current conversation."""
        now = round(time.time(), 3)
        with self._opened() as connection:
            current = connection.execute(f"SELECT {CURRENT}").fetchone()[0]
            if current is None:
                current = _start(connection, now)
            added = connection.execute(
                "INSERT INTO messages (conversation, time, sender, body, attachments) VALUES (?, ?, ?, ?, ?)",
                (current, now, sender, body, json.dumps([attachment.model_dump() for attachment in attachments])),
            )
            return Message(id=added.lastrowid or 0, time=now, sender=sender, body=body, attachments=list(attachments))

    def update(self, message: Message) -> None:
        """Write the body, the parts and the approval of a message that is there already."""
        parts = json.dumps([part.model_dump() for part in message.parts])
        with self._opened() as connection:
            connection.execute(
                "UPDATE messages SET body = ?, parts = ?, approval = ? WHERE id = ?",
                (message.body, parts, message.approval, message.id),
            )

    def take_back(self, message_id: int) -> list[Message]:
        """Remove a person's message of the current conversation and all after it; returns what was removed.

        Raises:
            NotFoundError: The current conversation has no such message of a person.
        """
        removed = [message for message in self.messages() if message.id >= message_id]
        if not removed or removed[0].id != message_id or removed[0].sender != "human":
            raise NotFoundError(f"this conversation has no message {message_id} of yours; load it again")
        with self._opened() as connection:
            connection.execute(
                f"DELETE FROM messages WHERE conversation = {CURRENT} AND id >= ?",
                (message_id,),
            )
        return removed

    def start_anew(self) -> None:
        """Begin a new, empty conversation; one in which nothing was said yet is that already."""
        with self._opened() as connection:
            said = connection.execute(f"SELECT count(*) FROM messages WHERE conversation = {CURRENT}").fetchone()[0]
            if said:
                _start(connection, round(time.time(), 3))

    def conversations(self) -> list[ConversationInfo]:
        """All conversations, the last opened first."""
        if not self.project.database_path.exists():
            return []
        with self._opened() as connection:
            rows = connection.execute(
                "SELECT id, title, created, "
                "(SELECT count(*) FROM messages WHERE conversation = conversations.id) AS messages, "
                "(SELECT body FROM messages WHERE conversation = conversations.id ORDER BY id LIMIT 1) AS first "
                "FROM conversations ORDER BY opened DESC, id DESC"
            ).fetchall()
        return [
            ConversationInfo(
                id=row["id"],
                title=row["title"] or _plain(row["first"] or "New conversation")[:60],
                created=row["created"],
                messages=row["messages"],
                current=index == 0,
            )
            for index, row in enumerate(rows)
        ]

    def open(self, conversation: int) -> None:
        """Make a conversation the current one; NotFoundError where there is none of that id."""
        self._change("UPDATE conversations SET opened = ? WHERE id = ?", time.time(), conversation)

    def rename(self, conversation: int, title: str) -> None:
        """Give a conversation a title; NotFoundError where there is none of that id."""
        self._change("UPDATE conversations SET title = ? WHERE id = ?", title, conversation)

    def delete(self, conversation: int) -> None:
        """Remove a conversation for good; what it decided stays in the ledger. NotFoundError where there is none."""
        with self._opened() as connection, transaction(connection):
            connection.execute("DELETE FROM messages WHERE conversation = ?", (conversation,))
            _one(connection.execute("DELETE FROM conversations WHERE id = ?", (conversation,)), conversation)

    def _change(self, statement: str, value: object, conversation: int) -> None:
        with self._opened() as connection:
            _one(connection.execute(statement, (value, conversation)), conversation)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with opened(self.project, SCHEMA) as connection:
            if _missing(connection):
                with transaction(connection):  # the panel asks twice at once, and a column can be added only once
                    for statement in _missing(connection):
                        connection.execute(statement)
            yield connection


def _missing(connection: sqlite3.Connection) -> list[str]:
    tables = LATER_COLUMNS.items()
    return [statement for table, columns in tables for statement in missing_columns(connection, table, columns)]


def _start(connection: sqlite3.Connection, now: float) -> int:
    # By the clock alone, a conversation begun and one opened within a millisecond would be in no order.
    newest = connection.execute("SELECT coalesce(max(opened), 0) FROM conversations").fetchone()[0]
    added = connection.execute(
        "INSERT INTO conversations (created, opened) VALUES (?, ?)", (now, max(time.time(), newest))
    )
    return added.lastrowid or 0


def _one(changed: sqlite3.Cursor, conversation: int) -> None:
    if not changed.rowcount:
        raise NotFoundError(f"there is no conversation {conversation}; load the list again")


def _message(row: sqlite3.Row) -> Message:
    values = dict(row)
    return Message(**{**values, "parts": json.loads(row["parts"]), "attachments": json.loads(row["attachments"])})


def _plain(text: str) -> str:
    """Text on one line without marks of markdown, as the first message of a night has them."""
    return " ".join(text.replace("**", "").replace("`", "").split())
