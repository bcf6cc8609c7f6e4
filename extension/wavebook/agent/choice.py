"""Who plans: the one place where a planner is chosen, by wavebook.toml and by whether there is a key."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from wavebook.agent.claude import ClaudePlanner
from wavebook.agent.claude_stream import KEY
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.planner import Part, Planner, Request
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.planner_settings import PlannerSettings
from wavebook_tools.records.project import Project


def choose_planner(project: Project, settings: PlannerSettings) -> Planner:
    """The planner that the settings name; ``auto`` is Claude where there is a key."""
    if settings.name == "claude" or (settings.name == "auto" and _with_key()):
        return ClaudePlanner(project, settings.claude)
    return OfflinePlanner(project)


@dataclass
class ChosenPlanner:
    """The planner of the settings as they are now: a change of wavebook.toml counts from the next message on."""

    project: Project

    def __post_init__(self) -> None:
        self._settings: PlannerSettings | None = None
        self._planner: Planner = OfflinePlanner(self.project)
        self._with_key = False

    @property
    def name(self) -> str:
        """What stands in plans and in the ledger."""
        return self._told().name

    @property
    def label(self) -> str:
        """What a person reads."""
        return self._told().label

    async def answer(self, request: Request) -> AsyncIterator[Part]:
        """The answer of the planner that is chosen now."""
        async for part in self.current().answer(request):
            yield part

    def current(self) -> Planner:
        """The planner, made anew where the settings or the key changed.

        Raises:
            UsageError: The settings cannot be read.
        """
        settings, with_key = self.project.settings().planner, _with_key()
        if (settings, with_key) != (self._settings, self._with_key):
            self._planner = choose_planner(self.project, settings)
            self._settings, self._with_key = settings, with_key
        return self._planner

    def _told(self) -> Planner:
        try:
            return self.current()
        except (UsageError, WavebookError, OSError):
            return self._planner  # what is wrong with the settings is told among the project's problems


def _with_key() -> bool:
    return bool(os.environ.get(KEY, "").strip())
