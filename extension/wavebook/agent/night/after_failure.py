"""What follows a wave of which no run came to a result: the watchdog's suggestions, as words for the next directive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wavebook_tools.diagnosis.finding import Action
from wavebook_tools.records.project import Project

FOR_A_PERSON = frozenset({Action.INSTALL, Action.FREE_DEVICE, Action.CORRECT_PLAN, Action.RAISE_LIMIT})
"""What no other plan mends."""


@dataclass(frozen=True)
class Advice:
    """What the watchdog suggests most often for a wave's runs."""

    finding: str
    action: Action
    runs: tuple[str, ...]
    words: str = ""
    """To be added to the directive; empty where the action is no matter of the plan."""

    @property
    def needs_person(self) -> bool:
        """Whether a person must do something first."""
        return self.action in FOR_A_PERSON


def advice(project: Project, wave: int) -> Advice | None:
    """The suggestion that most runs of a wave share; None where the watchdog found nothing.

    Only numbers and names that the watchdog itself chose are used: its messages quote what a run printed.
    """
    found = [(run, finding, suggestion) for run, finding, suggestion in _suggestions(project, wave)]
    if not found:
        return None
    counted = Counter((finding, suggestion["action"]) for _, finding, suggestion in found)
    (finding, action), _ = counted.most_common(1)[0]
    same = [(run, s) for run, f, s in found if (f, s["action"]) == (finding, action)]
    return Advice(finding, Action(action), tuple(dict.fromkeys(run for run, _ in same)), _words(same[0][1]))


def _words(suggestion: dict[str, Any]) -> str:
    parts = []
    if isinstance(robots := suggestion.get("num_envs"), int):
        parts.append(f"{robots} robots")
    overrides = suggestion.get("overrides")
    if isinstance(overrides, dict):
        parts += [f"{n} = {v}" for n, v in overrides.items() if isinstance(v, int | float) and not isinstance(v, bool)]
    return ", ".join(parts)


def _suggestions(project: Project, wave: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Run, finding and suggestion of each alert; of a run that one has ended, what that one suggests alone."""
    for run in project.wave(wave).runs():
        alerts = run.alerts()
        for event in [alert for alert in alerts if alert.get("ends_run")] or alerts:
            suggestion = event.get("suggestion")
            if isinstance(suggestion, dict) and suggestion.get("action") in set(Action):
                yield str(run.id), str(event.get("finding", "")), suggestion
