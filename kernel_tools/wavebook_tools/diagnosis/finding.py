"""What is found wrong with a run, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from wavebook_tools.records.states import RunState


class Action(StrEnum):
    """What a planner, or a person, may do about a finding."""

    FEWER_ENVS = "fewer_envs"
    EXCLUDE_TERRAIN = "exclude_terrain"
    RAISE_LIMIT = "raise_limit"
    LOWER_LEARNING_RATE = "lower_learning_rate"
    RETRY = "retry"
    RETRY_SEED = "retry_seed"
    STOP_BRANCH = "stop_branch"
    CORRECT_PLAN = "correct_plan"
    INSTALL = "install"
    FREE_DEVICE = "free_device"


@dataclass(frozen=True)
class Suggestion:
    """One step that would probably help."""

    action: Action
    why: str
    overrides: dict[str, Any] = field(default_factory=dict)
    """Dotted names of the task's configuration and their new values."""
    num_envs: int | None = None
    names: tuple[str, ...] = ()
    """What the action is about: terrain types, packages, files, parameters."""

    def as_dict(self) -> dict[str, Any]:
        """The suggestion as it stands in an event and in the ledger, without what is empty."""
        fields = asdict(self) | {"action": self.action.value, "names": list(self.names)}
        return {name: value for name, value in fields.items() if value not in (None, {}, [])}


@dataclass(frozen=True)
class Finding:
    """One failure signature that a run shows."""

    kind: str
    """Name of the signature, as ``hang``; the same in every run."""
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    """What it was recognised by: numbers, lines of the log, iterations."""
    ends_run: bool = False
    state: RunState = RunState.FAILED
    """How the run ends where the finding ends it."""
    suggestion: Suggestion | None = None

    def event(self) -> dict[str, Any]:
        """The fields of the alert event."""
        return {
            "finding": self.kind,
            "message": self.message,
            "ends_run": self.ends_run,
            "suggestion": self.suggestion.as_dict() if self.suggestion else None,
            "evidence": self.evidence,
        }
