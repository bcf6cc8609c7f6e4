"""``search_records``: experiments with what they changed and measured, filtered and ranked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.comparison.data import Experiment, collect
from wavebook_tools.comparison.verdict import Verdict, judge
from wavebook_tools.errors import WavebookError


class SearchRecords(Arguments):
    text: str = Field(
        default="", max_length=200, description="Stands in an override's name, the slug or the hypothesis"
    )
    task: str | None = Field(default=None, max_length=200)
    wave: int | None = Field(default=None, ge=1)
    state: Literal["any", "measured", "broken", "unfinished"] = "any"
    limit: int = Field(default=20, ge=1, le=100)


def run(workspace: Workspace, arguments: SearchRecords) -> str:
    """One experiment a paragraph, the newest first."""
    found: list[str] = []
    problems: list[str] = []
    for record in reversed(workspace.project.waves()):
        if arguments.wave not in (None, record.id):
            continue
        try:
            comparison = collect(workspace.project, [record.id])
            verdicts = judge(comparison, record.id)
        except WavebookError as error:
            problems.append(f"wave {record.id}: {type(error).__name__}")
            continue
        found += [_line(e, verdicts.get(e.id)) for e in reversed(comparison.experiments) if _fits(e, arguments)]
    lines = found[: arguments.limit]
    if len(found) > arguments.limit:
        lines.append(f"… and {len(found) - arguments.limit} more; narrow the search")
    lines += [f"could not be read: {problem}" for problem in problems[:5]]
    return "\n".join(lines) or "no experiment fits"


def _fits(experiment: Experiment, wanted: SearchRecords) -> bool:
    if wanted.task is not None and experiment.plan.task != wanted.task:
        return False
    words = " ".join([*experiment.changes, experiment.spec.slug, experiment.spec.hypothesis]).lower()
    states = {
        "any": True,
        "measured": bool(experiment.measured()),
        "broken": bool(experiment.broken),
        "unfinished": bool(experiment.unfinished),
    }
    return wanted.text.lower() in words and states[wanted.state]


def _line(experiment: Experiment, verdict: Verdict | None) -> str:
    overrides = ", ".join(f"{name}={value}" for name, value in experiment.changes.items()) or "no overrides"
    task, num_envs, iterations = experiment.size
    # Messages of runs are left out: they quote logs, which read_alerts marks as foreign.
    states = ", ".join(f"{run.id} {run.state}" for run in experiment.runs)
    return (
        f"{experiment.label} (wave {experiment.plan.id}, {task}, {num_envs} robots, {iterations} iterations)\n"
        f"  {overrides}\n  {states}\n  {judged(verdict)}"
    )


def judged(verdict: Verdict | None) -> str:
    """A verdict in words; why runs failed is left to read_alerts."""
    if verdict is None:
        return "not judged"
    return "failed; see read_alerts" if verdict.verdict == "failed" else f"{verdict.verdict}. {verdict.text}"


TOOL = Tool(
    "search_records",
    "Search the experiments of all waves: what they changed, how their runs ended, and the verdict on each. "
    "Ranking uses the fixed evaluation alone.",
    SearchRecords,
    run,
)
