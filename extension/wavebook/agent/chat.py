"""The conversation between a person and the agent, kept in the project's database."""

from __future__ import annotations

import time
from typing import Literal

from pydantic import BaseModel

from wavebook.agent.database import opened
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

Sender = Literal["human", "agent"]


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


class Chat:
    """The newest conversation of a project. Older ones stay in the database."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def messages(self) -> list[Message]:
        """The messages, oldest first."""
        if not self.project.database_path.exists():
            return []
        with opened(self.project, SCHEMA) as connection:
            rows = connection.execute(
                "SELECT id, time, sender, body, approval FROM messages "
                "WHERE conversation = (SELECT max(id) FROM conversations) ORDER BY id"
            )
            return [Message(**dict(row)) for row in rows]

    def append(self, sender: Sender, body: str) -> Message:
        """Add a message at the end."""
        now = round(time.time(), 3)
        with opened(self.project, SCHEMA) as connection:
            newest = connection.execute("SELECT max(id) FROM conversations").fetchone()[0]
            if newest is None:
                newest = connection.execute("INSERT INTO conversations (created) VALUES (?)", (now,)).lastrowid
            added = connection.execute(
                "INSERT INTO messages (conversation, time, sender, body) VALUES (?, ?, ?, ?)",
                (newest, now, sender, body),
            )
            return Message(id=added.lastrowid or 0, time=now, sender=sender, body=body)

    def update(self, message: Message) -> None:
        """Write the body and the approval of a message that is there already."""
        with opened(self.project, SCHEMA) as connection:
            connection.execute(
                "UPDATE messages SET body = ?, approval = ? WHERE id = ?", (message.body, message.approval, message.id)
            )

    def start_anew(self) -> None:
        """Begin a new, empty conversation."""
        with opened(self.project, SCHEMA) as connection:
            connection.execute("INSERT INTO conversations (created) VALUES (?)", (round(time.time(), 3),))
