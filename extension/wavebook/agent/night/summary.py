"""A night in words: what it was about, what it used, what each wave taught, why it ended."""

from __future__ import annotations

from collections.abc import Callable

from wavebook.agent.night.grant import NightRecord
from wavebook.agent.night.spending import spending
from wavebook_tools.metrics.quantities import counted
from wavebook_tools.records.project import Project

OUTCOMES = {
    "goal": "the goal is reached",
    "budget": "the budget is used up",
    "stuck": "it is stuck",
    "stopped": "it was stopped",
    "failed": "it failed",
}


def summary(project: Project, night: NightRecord, quoted: Callable[[str], str] = str) -> str:
    """A night in markdown.

    Args:
        project: The project.
        night: The night.
        quoted: What makes free text fit for where it is shown.
    """
    spent = spending(project, night.waves)
    state = (
        f"over ({OUTCOMES[night.outcome]}): {quoted(night.why)}."
        if night.outcome
        else f"{night.state} ({night.doing})."
        if night.doing not in {"", night.state}
        else f"{night.state}."
    )
    hours = ((night.ended or night.granted) - night.granted) / 3600
    lines = [
        f"**Night {night.id}** is {state}",
        "",
        f"Asked by {night.granted_by}: «{quoted(night.terms.directive)}», within {night.terms.text}. Used: "
        f"{counted(len(night.waves), 'wave')}, {counted(len(spent.runs), 'run')}, {spent.hours:.2f} device hours"
        + (f", {hours:.2f} hours." if night.ended else "."),
        "",
    ]
    return "\n".join([*lines, *(f"- wave {one.wave}: {quoted(one.text)}" for one in night.judged)])
