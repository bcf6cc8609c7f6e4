"""What each failure signature is: it sees a run's events one by one, and says once when it recognises itself."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.records.project import RunRecord

Event = Mapping[str, Any]

PHASES = ("starting", "compiling", "training", "evaluating")


@dataclass
class RunView:
    """What is known of a run while it is watched. Its files are not trusted: anything in them may have any type."""

    folder: Path
    num_envs: int | None = None
    iterations: int | None = None
    """Iterations that the run is to train."""
    overrides: dict[str, Any] = field(default_factory=dict)
    phase: str = "starting"
    trained: int = 0
    """Iterations that this run itself has told of."""
    last_iteration: int | None = None
    """The newest of them, numbered as in the run."""

    @classmethod
    def of(cls, folder: Path) -> RunView:
        """The view of a run that has not begun, from its spec.json; what that lacks is unknown."""
        spec = RunRecord(folder).spec_fields()
        overrides = spec.get("overrides")
        return cls(
            folder,
            num_envs=_count(spec.get("num_envs")),
            iterations=_count(spec.get("iterations")),
            overrides=overrides if isinstance(overrides, dict) else {},
        )

    def see(self, event: Event) -> bool:
        """Take in an event; returns whether it is a sign of life.

        While a run trains only an iteration is one, as a library may go on printing for ever, and so is the end of
        the cell that trains; the begin of the next cell is the end of the training. A run that resumes another starts
        with copies of its iterations, before it trains itself.
        """
        kind = event.get("kind")
        if kind == "state" and event.get("phase") in PHASES:
            self.phase = str(event["phase"])
            return True
        if kind == "metric":
            if self.phase == "evaluating" and self.trained:
                self.phase = "training"  # a notebook that trains in several cells
            if self.phase == "training":
                self.trained += 1
                self.last_iteration = _count(event.get("iteration"))
            return True
        if kind == "cell":
            if self.phase == "training" and event.get("status") == "running" and self.trained:
                self.phase = "evaluating"
            return True
        return kind in ("state", "log") and self.phase != "training"

    def fewer_envs(self, why: str) -> Suggestion:
        """The suggestion to go on with half the environments, or with another seed where one is left."""
        if self.num_envs is None or self.num_envs < 2:
            return Suggestion(Action.RETRY_SEED, why)
        return Suggestion(Action.FEWER_ENVS, why, num_envs=self.num_envs // 2)


RAISED = re.compile(r"cell \d+: ")
"""How the supervisor tells of an exception in a cell."""

OF_ANOTHER = re.compile(
    r"DeadKernelError|ChildFailedError|Process(?:Exited|Raised)Exception|CalledProcessError"
    r"|SIGKILL|exit ?code:? ?-9\b|signal 9\b|killed",
    re.IGNORECASE,
)
"""An exception whose cause lies in another process, as torch's launcher and its data loaders put it."""

CHAINED = re.compile(r"the direct cause of the following exception|During handling of the above exception")


@dataclass(frozen=True)
class Failure:
    """How a run failed that nobody ended."""

    exit_code: int
    error: str
    """What the failed cell or the worker said."""
    log: str
    """The end of log.txt."""
    out_of_memory_kills: tuple[str, ...] = ()
    """What the machine says of processes that it killed for memory since the run began."""

    @property
    def raised_here(self) -> bool:
        """Whether a cell raised an exception of its own, not one about another process."""
        return bool(RAISED.match(self.error)) and not OF_ANOTHER.search(self.error)

    @property
    def texts(self) -> tuple[str, ...]:
        """Where to look for the cause, the best first. Of an exception with no other behind it the log tells nothing
        more than its traceback, and what was printed earlier has not ended the run."""
        if self.raised_here and not CHAINED.search(self.log):
            return (self.error,)
        return self.error, self.log

    def find(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The first place that shows a pattern."""
        return next((match for text in self.texts if (match := pattern.search(text))), None)


class Signature:
    """One failure signature; each instance watches one run.

    Class attributes:
        kind: Its name in findings.
    """

    kind: str

    def see(self, event: Event, run: RunView) -> Finding | None:
        """Take in one event, after ``run`` has; returns what it finds, once."""
        return None

    def explain(self, failure: Failure, run: RunView) -> Finding | None:
        """Whether this is why the run failed."""
        return None


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def values_of(event: Event) -> dict[str, Any]:
    """The metrics of an event, empty where it has none."""
    values = event.get("values") if event.get("kind") == "metric" else None
    return values if isinstance(values, dict) else {}


def text_of(event: Event) -> str:
    """The printed text of an event, empty where it has none."""
    text = event.get("text") if event.get("kind") == "log" else None
    return text if isinstance(text, str) else ""


def line_with(text: str, position: int, *, limit: int = 400) -> str:
    """The line of ``text`` around a position, cut to ``limit`` characters."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return text[start : end if end >= 0 else len(text)].strip()[:limit]


def _count(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None else None
