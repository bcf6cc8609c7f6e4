"""What a diagnosis isolated: which suspect, once taken away, let the runs finish."""

from __future__ import annotations

from collections.abc import Sequence

from wavebook_tools.comparison.data import Comparison, Experiment
from wavebook_tools.records.run import RunState


def isolated(comparison: Comparison) -> list[str]:
    """Sentences on a single wave that is a diagnosis, from how its runs ended."""
    (plan,) = comparison.plans
    control = next((e for e in comparison.experiments if e.spec.baseline), None)
    if control is None:
        return [f"Wave {plan.id} has no control, so nothing is isolated."]
    others = [experiment for experiment in comparison.experiments if experiment is not control]
    if any(experiment.unfinished for experiment in comparison.experiments):
        return [f"Wave {plan.id} has not ended yet, so nothing is isolated."]
    if all(experiment.spec.prediction and experiment.spec.prediction.metric != "finished" for experiment in others):
        return _by_numbers(control, others)
    if finished(control):
        return [
            f"The control {control.label} finished this time ({_states(control)}): the failure does not show again at "
            "this length, so no suspect is cleared or blamed. Repeat it on more seeds, or call it an accident."
        ]
    mended = [e for e in others if finished(e)]
    still = [e for e in others if not finished(e)]
    found = [f"The control {control.label} failed again ({_states(control)})."]
    if mended:
        found += [f"{e.label} finished: {e.spec.hypothesis}" for e in mended]
    else:
        found.append("No suspect is the cause alone: every experiment failed like the control.")
    found += [f"{e.label} failed as well ({_states(e)}), so what it leaves out is not the cause alone." for e in still]
    return found


def finished(experiment: Experiment) -> bool:
    """Whether every run of an experiment ended with a result."""
    return bool(experiment.runs) and all(run.state is RunState.DONE for run in experiment.runs)


def _by_numbers(control: Experiment, others: Sequence[Experiment]) -> list[str]:
    """Where runs finish and learn nothing the predicted number tells, against the control's on the same seed."""
    found = []
    for experiment in others:
        prediction = experiment.spec.prediction
        assert prediction is not None
        mine, its = experiment.measured(prediction.metric), control.measured(prediction.metric)
        if not mine or not its:
            found.append(f"{experiment.label} tells nothing: {_states(experiment)}, control {_states(control)}.")
            continue
        change = sum(mine) / len(mine) - sum(its) / len(its)
        moved = "down" if change < 0 else "up" if change > 0 else "same"
        said = f"{prediction.metric} {sum(its) / len(its):.3g} became {sum(mine) / len(mine):.3g}"
        if moved == prediction.direction:
            found.append(f"{experiment.label} fits: {said}. {experiment.spec.hypothesis} One seed is a hint, no proof.")
        else:
            found.append(f"{experiment.label} does not fit: {said}.")
    return found


def _states(experiment: Experiment) -> str:
    return ", ".join(f"{run.id} {run.state}" for run in experiment.runs)
