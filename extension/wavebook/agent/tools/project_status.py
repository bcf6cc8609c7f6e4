"""``project_status``: waves, runs, devices, plans that wait, closed branches."""

from __future__ import annotations

from wavebook.agent.situation import situation
from wavebook.agent.tools.tool import Arguments, Tool, Workspace


class ProjectStatus(Arguments):
    pass


def run(workspace: Workspace, arguments: ProjectStatus) -> str:
    """How everything stands."""
    return situation(workspace.project, workspace.approvals.list())


TOOL = Tool(
    "project_status",
    "Read how waves and runs stand, which plans and requests wait for a person, which branches are closed, the budget.",
    ProjectStatus,
    run,
)
