"""The planner that needs no key: it reads the directive and the records, and proposes a wave."""

from __future__ import annotations

from collections.abc import AsyncIterator

from wavebook.agent.planner import Part, Request, TextDelta
from wavebook_tools.records.project import Project


class OfflinePlanner:
    """Plans from rules and records."""

    name = "offline"
    label = "Offline planner"

    def __init__(self, project: Project) -> None:
        self.project = project

    async def answer(self, request: Request) -> AsyncIterator[Part]:
        """The answer, in parts."""
        yield TextDelta(f"I read: {request.body}")
