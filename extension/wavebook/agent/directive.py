"""A directive as the offline planner understands it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from wavebook.agent.topics import Topic

Intent = Literal["plan", "reproduce", "diagnose", "mend", "status", "greeting", "help", "thanks"]


@dataclass(frozen=True)
class Wish:
    """A parameter that the directive names, and what is to become of it."""

    parameter: str
    way: Literal["stronger", "weaker", "removed", "either"]


@dataclass(frozen=True)
class Assignment:
    """A parameter that the directive gives a value."""

    parameter: str
    value: Any


@dataclass
class Directive:
    """What was read out of a text, and what was not."""

    text: str
    intent: Intent = "plan"
    task: str | None = None
    topics: list[Topic] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Parameters or terms that are not to be changed."""
    experiments: int | None = None
    """How many, the baseline among them."""
    baseline_only: bool = False
    """Whether nothing beside the baseline is wanted."""
    variations: int | None = None
    """How many beside the baseline."""
    seeds: int | None = None
    seed_list: list[int] | None = None
    runs: int | None = None
    """At most so many."""
    iterations: int | None = None
    num_envs: int | None = None
    devices: list[str] | None = None
    gpu_hours: float | None = None
    seconds: float | None = None
    """How long the wave may take [s]."""
    subject: str | None = None
    """The experiment to reproduce, None for the best; or the run or experiment to diagnose or mend, None for the
    newest."""
    notes: list[str] = field(default_factory=list)
    """What was understood, in a person's words."""
    unknown: list[str] = field(default_factory=list)
    """Words that nothing was made of."""

    @property
    def named(self) -> list[str]:
        """Parameters that are to be changed, each once."""
        names = [*(one.parameter for one in self.assignments), *(one.parameter for one in self.wishes)]
        return list(dict.fromkeys(names))

    @property
    def says_something(self) -> bool:
        """Whether there is anything to plan from."""
        return bool(
            self.topics
            or self.wishes
            or self.assignments
            or self.experiments
            or self.variations
            or self.intent == "reproduce"
            or self.wants_improvement
        )

    wants_improvement: bool = False
    """Whether it asks for something better without saying what."""
