"""``read_preflight``: what trying an experiment's code on two environments found."""

from __future__ import annotations

from pydantic import Field

from wavebook.agent.tools.paths import read_text, record_path
from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.jobs.preflight import path_of


class ReadPreflight(Arguments):
    wave: int = Field(ge=1)


def run(workspace: Workspace, arguments: ReadPreflight) -> str:
    """A paragraph for each experiment of the wave that has code."""
    record = workspace.project.wave(arguments.wave)
    plan = record.plan()
    lines = []
    for experiment in plan.experiments:
        if not plan.code_of(experiment):
            continue
        path = path_of(record.path / f"{experiment.id}-{experiment.slug}")
        there = path.is_file()
        told = read_text(record_path(workspace.project, path), path.name).strip() if there else "not tried yet"
        lines.append(f"{experiment.id}: {told}")
    return "\n".join(lines) or f"wave {arguments.wave} has no code, so it needs no preflight"


TOOL = Tool(
    "read_preflight",
    "Read what the preflight of a wave's code found: whether each term ran on two environments, its extremes, or why "
    "it failed. It runs by itself after the approval, before a run gets a device.",
    ReadPreflight,
    run,
    source=lambda arguments: f"the preflight of wave {arguments.wave}",
)
