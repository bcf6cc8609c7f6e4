"""What every planner does, with or without a model: answer a person, and propose a wave where one is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from wavebook.agent.chat import Attachment, Message
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.plan import WavePlan


class RefusedError(WavebookError):
    """A planner that answers nothing until a person changes something, as a key or a limit: asking again is no use."""


@dataclass(frozen=True)
class TextDelta:
    """A piece of the answer's markdown, to be appended."""

    text: str


@dataclass(frozen=True)
class Proposal:
    """A plan that waits for a person's approval."""

    plan: WavePlan
    foreign: Sequence[str] = ()
    """Logs, notebooks and files that were read for it: no standing budget approves such a plan."""
    replaces: int | None = None
    """The approval whose plan this one is, changed as the person asked: that one is withdrawn."""


@dataclass(frozen=True)
class ToolCall:
    """The planner uses one of its tools; the result follows as a part with the same id."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class ToolResult:
    """What a tool answered, bounded in length."""

    id: str
    text: str
    failed: bool = False


Part = TextDelta | Proposal | ToolCall | ToolResult


@dataclass(frozen=True)
class Unattended:
    """What a planner is told where no person reads its answer, in night mode."""

    wave: int
    """Which of the night's waves this is, from 1."""
    waves: int
    runs: int
    """The most runs that the wave may have."""
    hint: str = ""
    """Why its last answer did not do."""

    @property
    def text(self) -> str:
        """In words, for a model."""
        text = (
            f"Night mode: nobody reads along. This is wave {self.wave} of at most {self.waves}, with at most "
            f"{self.runs} runs. Propose one wave with propose_wave. Don't read logs, notebooks, files, metrics or "
            "alerts: a plan made after that waits for a person, and the night would end."
        )
        return f"({text} {self.hint})" if self.hint else f"({text})"


@dataclass(frozen=True)
class Request:
    """What a person wrote, and the conversation before it, oldest first."""

    body: str
    history: Sequence[Message] = field(default_factory=list)
    attachments: Sequence[Attachment] = ()
    """Runs, notebooks and files that the person points at; all lie under the project."""
    unattended: Unattended | None = None
    """Set where the plan is to run without a person."""


class Planner(Protocol):
    """Answers one request at a time, from the project's records."""

    @property
    def name(self) -> str:
        """What stands in plans and in the ledger: ``offline`` or a model's name."""
        ...

    @property
    def label(self) -> str:
        """What a person reads."""
        ...

    def answer(self, request: Request) -> AsyncIterator[Part]:
        """The answer's parts as they come: text, and at most one proposal. Without one, the answer was all there is.

        Raises:
            RefusedError: It will answer nothing before a person changes something.
            WavebookError: The records cannot be read, or the directive cannot be planned; the message says why.
        """
        ...
