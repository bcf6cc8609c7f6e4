"""Runs that a night ends early, because the median rule says that they will not become one of the better half."""

from __future__ import annotations

from collections.abc import Sequence

from wavebook.agent.night.grant import ACTOR, NightRecord
from wavebook.agent.pruning import FINISHED, Hopeless, hopeless_runs
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.store import QueuedRun
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunId, RunState

LOOK = 20.0
"""How often curves are looked at while a run trains that may be hopeless [s]."""


def may_be_hopeless(project: Project, runs: Sequence[QueuedRun], wave: int) -> bool:
    """Whether there is anything to look for: a run of a variation trains, and enough of its size are done."""
    baselines = _baselines(project, wave)
    for run in runs:
        if run.wave == wave and run.state is RunState.STARTING and RunId(run.id).experiment not in baselines:
            size = (run.task, run.num_envs, run.iterations)
            done = [r for r in runs if r.state is RunState.DONE and (r.task, r.num_envs, r.iterations) == size]
            if len(done) >= FINISHED:
                return True
    return False


def end_hopeless(project: Project, night: NightRecord, wave: int) -> list[Hopeless]:
    """End the hopeless ones among a wave's runs; the baseline's go on, since they measure the noise.

    Returns:
        Those that were ended, with what they were judged by.
    """
    baselines = _baselines(project, wave)
    ended = []
    with Queue(project) as queue:
        of_wave = {run.id for run in queue.store.of_wave(wave)}
        for hopeless in hopeless_runs(project):
            if hopeless.run not in of_wave or RunId(hopeless.run).experiment in baselines:
                continue
            why = f"{hopeless} (night {night.id}, granted by {night.granted_by})"
            if queue.cancel(hopeless.run, ACTOR, why, actor="agent", evidence=list(hopeless.peers)):
                ended.append(hopeless)
    return ended


def _baselines(project: Project, wave: int) -> set[str]:
    return {experiment.id for experiment in project.wave(wave).plan().experiments if experiment.baseline}
