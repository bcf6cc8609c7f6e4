"""The end of a night: its report, and what is told about it."""

from __future__ import annotations

from wavebook.agent.campaign import write_campaign
from wavebook.agent.night.grant import NightRecord, Nights
from wavebook.agent.night.spending import spending
from wavebook_tools.errors import NotFoundError, WavebookError
from wavebook_tools.records.project import Project

OUTCOMES = {
    "goal": "the goal is reached",
    "budget": "the budget is used up",
    "stuck": "it is stuck",
    "stopped": "it was stopped",
    "failed": "it failed",
}


def close_night(project: Project, nights: Nights) -> str:
    """Write the campaign's report and say in markdown how the newest night went."""
    night = nights.newest()
    assert night is not None
    try:
        report = f"The report: `{project.relative(write_campaign(project))}`."
    except NotFoundError:
        report = "Nothing was run, so there is no report."
    except WavebookError as error:
        report = f"The report could not be written: {error}."
    return f"{summary(project, night)}\n\n{report}"


def summary(project: Project, night: NightRecord) -> str:
    """A night in markdown: what it was about, what it used, what each wave taught, why it ended."""
    spent = spending(project, night.waves)
    state = f"over: {OUTCOMES[night.outcome]}. {night.why}." if night.outcome else f"{night.state} ({night.doing})."
    hours = ((night.ended or night.granted) - night.granted) / 3600
    lines = [
        f"**Night {night.id}** is {state}",
        "",
        f"Asked by {night.granted_by}: «{night.terms.directive}», within {night.terms.text}. Used: "
        f"{len(night.judged)} waves, {len(spent.runs)} runs, {spent.hours:.2f} device hours"
        + (f", {hours:.2f} hours." if night.ended else "."),
        "",
    ]
    return "\n".join([*lines, *(f"- wave {one.wave}: {one.text}" for one in night.judged)])
