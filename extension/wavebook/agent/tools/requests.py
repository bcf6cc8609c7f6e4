"""Calls of tools that wait for a person: asked by an agent, decided once, executed when approved.

A request is a row of the project's database and outlives reload and restart. What was not decided in time counts as
denied.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from wavebook.agent.database import opened, transaction
from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.records.project import Project
from wavebook_tools.records.redaction import redact, redact_document

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    actor TEXT NOT NULL,
    foreign_text TEXT NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    decided REAL,
    decided_by TEXT,
    why TEXT NOT NULL DEFAULT '',
    result TEXT
);
"""

LIFETIME = 24 * 3600.0
"""How long a request waits before it counts as denied [s]."""

MOST_PENDING = 20
"""Requests that may wait at a time: an agent cannot flood a person with questions."""

State = Literal["pending", "approved", "done", "failed", "rejected", "expired"]


class Request(BaseModel):
    """A call that an agent asks for, and what became of it."""

    id: int
    tool: str
    arguments: str
    """As JSON, checked."""
    actor: str
    """The agent that asks."""
    foreign: list[str] = Field(default_factory=list)
    """Foreign text that it had read before it asked."""
    state: State
    created: float
    """Unix seconds, as are ``expires`` and ``decided``."""
    expires: float
    decided: float | None = None
    decided_by: str | None = None
    why: str = ""
    result: str | None = None
    """What the tool answered, or why it failed."""


class Requests:
    """The requests of a project."""

    def __init__(self, project: Project, *, clock: Callable[[], float] = time.time) -> None:
        self.project = project
        self._clock = clock

    def ask(self, tool: Tool[Any], arguments: Arguments, workspace: Workspace) -> str:
        """Put a call before a person, once; what to tell the agent.

        Raises:
            WavebookError: Too many requests wait already, or the ledger cannot be written.
        """
        text = json.dumps(redact_document(arguments.model_dump(mode="json", exclude_defaults=True)), ensure_ascii=False)
        waiting = [request for request in self.list() if request.state == "pending"]
        same = next((r for r in waiting if (r.tool, r.arguments) == (tool.name, text)), None)
        if same is not None:
            return f"{tool.name} waits for a person already, as request {same.id}; go on with other things"
        if len(waiting) >= MOST_PENDING:
            raise WavebookError(f"{len(waiting)} requests wait for a person already; wait until some are decided")
        now = round(self._clock(), 3)
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            added = connection.execute(
                "INSERT INTO requests (tool, arguments, actor, foreign_text, state, created, expires) "
                "VALUES (?, ?, ?, ?, 'pending', ?, ?)",
                (tool.name, text, workspace.actor, "\n".join(dict.fromkeys(workspace.foreign)), now, now + LIFETIME),
            )
            number = added.lastrowid or 0
            self.project.ledger.append("agent", workspace.actor, "ask", why=f"{tool.name} {text}", request=number)
        return (
            f"{tool.name} needs a person's approval and was not executed. It waits as request {number}: "
            f"tell the person, who decides in the sidebar or with `wavebook allow {number}` or `wavebook deny {number}`"
        )

    def list(self) -> Sequence[Request]:
        """All requests, oldest first; those whose time has run out are marked as expired."""
        if not self.project.database_path.exists():
            return []
        with opened(self.project, SCHEMA) as connection:
            connection.execute(
                "UPDATE requests SET state = 'expired', decided = expires, why = 'not decided in time' "
                "WHERE state = 'pending' AND expires <= ?",
                (round(self._clock(), 3),),
            )
            return [_request(row) for row in connection.execute("SELECT * FROM requests ORDER BY id")]

    def get(self, number: int) -> Request:
        """One request; NotFoundError where there is none of that number."""
        for request in self.list():
            if request.id == number:
                return request
        raise NotFoundError(f"there is no request {number} in {self.project.root}")

    def decide(self, number: int, *, approve: bool, by: str, why: str = "") -> Request:
        """Approve or reject a request, once. ``execute`` then does what was approved.

        Raises:
            NotFoundError: There is no such request.
            WavebookError: It is decided already, or the ledger cannot be written; then it stays pending.
        """
        self.get(number)
        state = "approved" if approve else "rejected"
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            changed = connection.execute(
                "UPDATE requests SET state = ?, decided = ?, decided_by = ?, why = ? "
                "WHERE id = ? AND state = 'pending'",
                (state, round(self._clock(), 3), by, why, number),
            )
            if not changed.rowcount:
                row = connection.execute("SELECT * FROM requests WHERE id = ?", (number,)).fetchone()
                raise WavebookError(f"request {number} is {row['state']} already; a request is decided once")
            self.project.ledger.append("human", by, "approve" if approve else "reject", why=why, request=number)
        return self.get(number)

    def execute(self, number: int, tools: Mapping[str, Tool[Any]]) -> Request:
        """Execute an approved request, once, and keep what the tool answered.

        Raises:
            NotFoundError: There is no such request.
            UsageError: It is not approved, or was executed already.
        """
        request = self.get(number)
        if request.state != "approved" or request.result is not None:
            raise UsageError(f"request {number} is {request.state}; only what was approved is executed, once")
        with opened(self.project, SCHEMA) as connection:
            claimed = connection.execute(
                "UPDATE requests SET result = '' WHERE id = ? AND state = 'approved' AND result IS NULL", (number,)
            )
            if not claimed.rowcount:
                raise UsageError(f"request {number} is being executed already")
        workspace = Workspace(self.project, request.actor, decided_by=request.decided_by)
        try:
            tool = tools[request.tool]
            text, state = tool.run(workspace, tool.arguments.model_validate_json(request.arguments)), "done"
        except (WavebookError, KeyError, ValueError) as error:
            text, state = str(error), "failed"
        with opened(self.project, SCHEMA) as connection:
            connection.execute("UPDATE requests SET state = ?, result = ? WHERE id = ?", (state, redact(text), number))
        return self.get(number)


def _request(row: sqlite3.Row) -> Request:
    values = {name: row[name] for name in row.keys() if name in Request.model_fields}  # noqa: SIM118
    return Request(**values, foreign=[line for line in row["foreign_text"].split("\n") if line])
