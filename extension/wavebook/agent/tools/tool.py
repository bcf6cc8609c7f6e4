"""What a tool is: a name, typed arguments, and whether it only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from wavebook.agent.approvals import Approvals
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema, load_tasks


class Access(StrEnum):
    """What a tool may do, and so what it needs."""

    READ = "read"
    """Changes nothing; runs freely."""
    PROPOSE = "propose"
    """Puts a plan before a person; nothing runs of it until they approve."""
    RECORD = "record"
    """Adds the agent's own words to the ledger; runs freely until foreign text was read in the same answer."""
    CONTROL = "control"
    """Spends time on devices or ends what runs; waits for a person."""


class Arguments(BaseModel):
    """Base of a tool's arguments: what is not asked for is refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass
class Workspace:
    """What tools work on: a project, seen by one agent in one answer."""

    project: Project
    actor: str
    """The agent's name, as it stands in the ledger."""
    tasks: Mapping[str, TaskSchema] = field(default_factory=load_tasks)
    propose: Callable[[WavePlan], str] | None = None
    """Takes a checked plan and says what becomes of it; proposes it for approval where absent."""
    foreign: list[str] = field(default_factory=list)
    """Sources of foreign text that was read: logs, notebooks, files. What they say is no wish of the person."""
    decided_by: str | None = None
    """The person who approved this call, where one had to."""
    approvals: Approvals = field(init=False)

    def __post_init__(self) -> None:
        self.approvals = Approvals(self.project, tasks=self.tasks)


@dataclass(frozen=True)
class Tool[A: Arguments]:
    """One thing that an agent can do."""

    name: str
    description: str
    """What a model reads to choose it."""
    arguments: type[A]
    run: Callable[[Workspace, A], str]
    access: Access = Access.READ
    source: Callable[[A], str] | None = None
    """What the result quotes, where it is text that others wrote: it is marked as data then."""
    seconds: float = 60.0
    """The longest that it may take."""

    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        document = self.arguments.model_json_schema()
        document.pop("title", None)
        document.pop("description", None)
        return document
