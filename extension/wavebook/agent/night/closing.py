"""The end of a night: the campaign's report, and what is told in the conversation."""

from __future__ import annotations

from wavebook.agent.campaign import write_campaign
from wavebook.agent.night.grant import Nights
from wavebook.agent.night.summary import summary
from wavebook_tools.errors import NotFoundError, WavebookError
from wavebook_tools.records.project import Project


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
