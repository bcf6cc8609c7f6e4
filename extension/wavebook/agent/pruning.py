"""Runs that are hopeless by their curves, as a suggestion to end them: Optuna's median rule over runs of equal size.

A run is hopeless where its best value so far is worse than the median of what finished runs had at the same iteration
(Golovin et al. 2017, «Google Vizier», section 3.2.2). Another seed of what a run has finished already is never called
so: a win is proven by all its seeds, and ending those that go badly would flatter it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wavebook_tools.comparison.data import Experiment, Run, collect
from wavebook_tools.errors import WavebookError
from wavebook_tools.metrics import read_metrics
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunState

CURVE = "Metrics/error_vel_xy"
"""The velocity error in training [m/s]. It does not depend on the rewards, which experiments define for themselves."""

FINISHED = 4
"""With fewer finished runs of the size there is no rule."""

EARLIEST = 0.3
"""No run is called hopeless before this part of its iterations."""

POINTS = 50
"""A curve is compared at so many iterations."""


@dataclass(frozen=True)
class Hopeless:
    """A run that will hardly become one of the better half."""

    run: str
    iteration: int
    value: float
    """The lowest velocity error of its curve so far [m/s]."""
    median: float
    """The median of the finished runs' curves at that iteration [m/s]."""
    finished: int
    peers: tuple[str, ...] = ()
    """The finished runs."""

    def __str__(self) -> str:
        return (
            f"{self.run} looks hopeless at iteration {self.iteration}: its velocity error came down to "
            f"{self.value:.3f} m/s at best, where the median of {self.finished} finished runs was "
            f"{self.median:.3f} m/s; ending it would free its device"
        )


def hopeless_runs(project: Project) -> list[Hopeless]:
    """The hopeless ones among the runs that train now."""
    live: list[tuple[tuple[str, int, int], Run]] = []
    done: dict[tuple[str, int, int], list[Run]] = {}
    pairs = _runs(project)
    measured = [(one.size, one.changes) for one, run in pairs if run.state is RunState.DONE]
    for experiment, run in pairs:
        if run.state is RunState.RUNNING and (experiment.size, experiment.changes) not in measured:
            live.append((experiment.size, run))
        elif run.state is RunState.DONE:
            done.setdefault(experiment.size, []).append(run)
    found = []
    for size, run in live:
        peers = done.get(size, [])
        if len(peers) >= FINISHED and (judged := _judged(run, peers, iterations=size[2])) is not None:
            found.append(judged)
    return found


def _runs(project: Project) -> list[tuple[Experiment, Run]]:
    pairs: list[tuple[Experiment, Run]] = []
    for wave in project.waves():
        try:
            experiments = collect(project, [wave.id]).experiments
        except WavebookError:
            continue  # a damaged record is told where waves are compared
        pairs += [(experiment, run) for experiment in experiments for run in experiment.runs]
    return pairs


def _judged(run: Run, peers: list[Run], *, iterations: int) -> Hopeless | None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    curve = _curve(run, iterations)
    if not curve:
        return None
    pruner = optuna.pruners.MedianPruner(n_startup_trials=FINISHED, n_warmup_steps=round(EARLIEST * iterations))
    study = optuna.create_study(direction="minimize", pruner=pruner)
    others = [other for peer in peers if (other := _curve(peer, iterations))]
    for other in others:
        value = other[max(other)]
        study.add_trial(optuna.create_trial(value=value, intermediate_values=other))
    trial = optuna.create_trial(state=optuna.trial.TrialState.RUNNING, intermediate_values=curve)
    study.add_trial(trial)
    if not pruner.prune(study, study.trials[-1]):
        return None
    last = max(curve)
    there = [other[last] for other in others if last in other]
    names = tuple(peer.id for peer in peers)
    return Hopeless(run.id, last, min(curve.values()), float(np.median(there)), len(there), names)


def _curve(run: Run, iterations: int) -> dict[int, float]:
    """The curve at fixed iterations, which all runs of a size share."""
    if run.record is None:
        return {}
    history = read_metrics(run.record.events_path)
    every = max(1, iterations // POINTS)
    column = history[CURVE]
    return {
        int(iteration): float(value)
        for iteration, value in zip(history.iterations, column, strict=True)
        if iteration % every == 0 and np.isfinite(value)
    }
