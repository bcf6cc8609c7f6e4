"""``read_log``: the end of what a run printed."""

from __future__ import annotations

import os

from pydantic import Field

from wavebook.agent.tools.paths import opened, record_path
from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import NotFoundError
from wavebook_tools.records.redaction import redact

BEFORE = 8192
"""Bytes before those that are shown, in which a secret may begin; a private key of 4096 bits has 3300."""


class ReadLog(Arguments):
    run: str = Field(max_length=60, description="As exp001/s0")
    kilobytes: int = Field(default=8, ge=1, le=64)


def run(workspace: Workspace, arguments: ReadLog) -> str:
    """The log's last kilobytes."""
    record = workspace.project.run(arguments.run)
    try:
        path = record_path(workspace.project, record.log_path)
    except NotFoundError:
        return f"{arguments.run} has printed nothing yet"
    with opened(path, path.name) as stream:
        size = stream.seek(0, os.SEEK_END)
        start = max(0, size - arguments.kilobytes * 1024)
        before = min(start, BEFORE)
        stream.seek(start - before)
        text = stream.read(before + arguments.kilobytes * 1024).decode("utf-8", errors="replace")
    # Redacted with what stands before it: a secret that the beginning cuts in half would not be known any more.
    return f"(the last {size - start} of {size} bytes)\n{redact(text)[before:]}"


TOOL = Tool(
    "read_log",
    "Read the end of what a run printed.",
    ReadLog,
    run,
    source=lambda arguments: f"the log of {arguments.run}",
)
