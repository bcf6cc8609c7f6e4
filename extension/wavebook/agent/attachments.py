"""What a person lays beside a message: checked to be there and to lie under the project."""

from __future__ import annotations

from collections.abc import Sequence

from wavebook.agent.chat import Attachment
from wavebook.agent.tools.paths import project_path
from wavebook_tools.errors import UsageError
from wavebook_tools.records.project import Project

MOST = 20


def checked_attachments(project: Project, attachments: Sequence[Attachment]) -> list[Attachment]:
    """The attachments without repeats.

    Raises:
        UsageError: Too many, or a path that leaves the project or is hidden.
        NotFoundError: A run or a file that is not there; the message names the nearest.
    """
    unique = list({(attachment.kind, attachment.path): attachment for attachment in attachments}.values())
    if len(unique) > MOST:
        raise UsageError(f"{len(unique)} attachments; {MOST} are allowed, so name a folder or a wave instead")
    for attachment in unique:
        if attachment.kind == "run":
            project.run(attachment.path)
        else:
            project_path(project.root, attachment.path)
    return unique


def named(body: str, attachments: Sequence[Attachment]) -> str:
    """The message with what it points at, for a planner that reads text."""
    if not attachments:
        return body
    listed = "\n".join(f"- {attachment.kind} {attachment.path}" for attachment in attachments)
    return f"{body}\n\nAttached:\n{listed}"
