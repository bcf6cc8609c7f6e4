"""``read_log``: the end of what a run printed."""

from __future__ import annotations

import os

from pydantic import Field

from wavebook.agent.tools.tool import Arguments, Tool, Workspace


class ReadLog(Arguments):
    run: str = Field(max_length=60, description="As exp001/s0")
    kilobytes: int = Field(default=8, ge=1, le=64)


def run(workspace: Workspace, arguments: ReadLog) -> str:
    """The log's last kilobytes."""
    path = workspace.project.run(arguments.run).log_path
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            start = max(0, size - arguments.kilobytes * 1024)
            stream.seek(start)
            text = stream.read(arguments.kilobytes * 1024).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return f"{arguments.run} has printed nothing yet"
    return f"(the last {size - start} of {size} bytes)\n{text}"


TOOL = Tool(
    "read_log",
    "Read the end of what a run printed.",
    ReadLog,
    run,
    source=lambda arguments: f"the log of {arguments.run}",
)
