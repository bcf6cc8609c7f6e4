"""``list_files``: what lies in a folder of the project."""

from __future__ import annotations

import os

from pydantic import Field

from wavebook.agent.tools.paths import project_path, visible
from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import UsageError

MOST = 200


class ListFiles(Arguments):
    folder: str = Field(default=".", max_length=500, description="Relative to the project")


def run(workspace: Workspace, arguments: ListFiles) -> str:
    """Names and sizes, folders first."""
    root = workspace.project.root
    folder = project_path(root, arguments.folder)
    if not folder.is_dir():
        raise UsageError(f"{arguments.folder!r} is no folder; read_file reads a file")
    with os.scandir(folder) as found:
        entries = [entry for entry in found if visible(entry.name) and not entry.is_symlink()]
    entries.sort(key=lambda entry: (not entry.is_dir(), entry.name))
    lines = [f"{e.name}/" if e.is_dir() else f"{e.name}  {e.stat().st_size} bytes" for e in entries[:MOST]]
    if len(entries) > MOST:
        lines.append(f"… and {len(entries) - MOST} more")
    return "\n".join(lines) or "the folder is empty"


TOOL = Tool(
    "list_files",
    "List a folder of the project: names and sizes. Hidden files are left out.",
    ListFiles,
    run,
    source=lambda arguments: f"the file names in {arguments.folder}",
)
