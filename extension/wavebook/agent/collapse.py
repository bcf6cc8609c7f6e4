"""The rule that gives a direction up: three runs that never left the lowest terrain level, and none that did."""

from __future__ import annotations

from collections.abc import Iterator

from wavebook.agent.branches import CLOSED, close, closed_branches
from wavebook_tools.comparison.data import Experiment, collect
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.project import Project

COLLAPSED_LEVEL = 0.05
"""Mean level that evaluated robots clear, at or below which a run counts as collapsed; as the watchdog's signature."""

ENOUGH_ITERATIONS = 300
"""Shorter runs have not learnt to walk and tell nothing; as the watchdog's signature."""

FAILURES = 3


def close_collapsed(project: Project, actor: str) -> list[str]:
    """Close every branch in which three long runs or more ended at terrain level 0.0 and no other run did better.

    A branch is a parameter that experiments change, or the task where they change none. One that was opened again is
    closed only after as many new failures.

    Returns:
        The branches closed now.
    """
    known = closed_branches(project)
    counted = _counted_before(project)
    now = []
    for branch, levels in _levels(project).items():
        new = {run: level for run, level in levels.items() if run not in counted.get(branch, set())}
        if branch in known or len(new) < FAILURES or max(new.values()) > COLLAPSED_LEVEL:
            continue
        why = f"{len(new)} runs of at least {ENOUGH_ITERATIONS} iterations ended at terrain level 0.0, none above"
        close(project, actor, branch, why, sorted(new))
        now.append(branch)
    return now


def _levels(project: Project) -> dict[str, dict[str, float]]:
    """For each branch the terrain level that its long runs reached, by run."""
    levels: dict[str, dict[str, float]] = {}
    for wave in project.waves():
        try:
            experiments = collect(project, [wave.id]).experiments
        except WavebookError:
            continue  # a damaged record is told where waves are compared
        for experiment in experiments:
            for branch in list(experiment.spec.changes) or [experiment.plan.task]:
                levels.setdefault(branch, {}).update(_of(experiment))
    return levels


def _of(experiment: Experiment) -> Iterator[tuple[str, float]]:
    if experiment.size[2] < ENOUGH_ITERATIONS:
        return
    for run in experiment.runs:
        level = run.measured("terrain_level")
        if level is not None:
            yield run.id, level


def _counted_before(project: Project) -> dict[str, set[str]]:
    """Runs that stood as evidence when a branch was closed before."""
    counted: dict[str, set[str]] = {}
    for decision in project.ledger.read():
        if decision.what == CLOSED:
            runs = decision.refs.get("evidence", [])
            counted.setdefault(str(decision.refs.get("branch")), set()).update(map(str, runs))
    return counted
