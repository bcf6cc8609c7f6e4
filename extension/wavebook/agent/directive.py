"""A directive as the offline planner understands it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from wavebook.agent.topics import Topic

Intent = Literal[
    "plan", "reproduce", "compare", "combine", "diagnose", "mend", "status", "greeting", "help", "thanks", "stop"
]


@dataclass(frozen=True)
class Wish:
    """A parameter that the directive names, and what is to become of it."""

    parameter: str
    way: Literal["stronger", "weaker", "removed", "either"]
    factor: float | None = None
    """What its value is multiplied by, where the directive says that."""


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
    nothing_else: bool = False
    """Whether only what it names is wanted beside the baseline."""
    unattended: bool = False
    """Whether its plan is to run without a person."""
    variations: int | None = None
    """How many beside the baseline."""
    seeds: int | None = None
    seed_list: list[int] | None = None
    runs: int | None = None
    """At most so many."""
    iterations: int | None = None
    num_envs: int | None = None
    devices: list[str] | None = None
    spared: list[str] | None = None
    """Indices of GPUs that are to be left alone."""
    gpu_hours: float | None = None
    seconds: float | None = None
    """How long the wave may take [s]."""
    subject: str | None = None
    """The experiment to reproduce, None for the best; or the run or experiment to diagnose or mend, None for the
    newest."""
    subjects: list[str] = field(default_factory=list)
    """The experiments to compare or to combine, by number or name."""
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
    def plans(self) -> bool:
        """Whether it asks for a wave, and not for an answer or for the cause of a failure."""
        return self.intent in {"plan", "reproduce", "compare", "combine"} and self.says_something

    @property
    def says_something(self) -> bool:
        """Whether there is anything to plan from."""
        return bool(
            self.topics
            or self.wishes
            or self.assignments
            or self.experiments
            or self.variations
            or self.intent in {"reproduce", "compare", "combine"}
            or self.wants_improvement
        )

    @property
    def amends(self) -> bool:
        """Whether it only says how something is to run, as «again with 5 seeds» does of what was planned before."""
        how = (self.task, self.seeds, self.seed_list, self.runs, self.iterations, self.num_envs, self.devices)
        said = any((*how, self.spared, self.gpu_hours, self.seconds, self.kept))
        return self.intent == "plan" and not self.says_something and said

    def amended(self, later: Directive) -> Directive:
        """This directive as a later one changes it."""
        sizes = ("task", "runs", "iterations", "num_envs", "devices", "spared", "gpu_hours", "seconds")
        changes: dict[str, Any] = {name: given for name in sizes if (given := getattr(later, name)) is not None}
        if later.seeds is not None or later.seed_list is not None:
            changes |= {"seeds": later.seeds, "seed_list": later.seed_list}
        return replace(
            self,
            text=f"{self.text}; {later.text}",
            kept=[*self.kept, *later.kept],
            notes=[f"as before, «{self.text}»", *later.notes],
            unknown=later.unknown,
            **changes,
        )

    wants_improvement: bool = False
    """Whether it asks for something better without saying what."""
