"""The verdict on an experiment: better, worse, no different or failed, and the noise it was judged against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Literal

from pydantic import BaseModel, ConfigDict

from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment, collect
from wavebook_tools.comparison.statistics import Difference, Noise, difference, pooled
from wavebook_tools.errors import WavebookError
from wavebook_tools.metrics.quantities import counted, quantity
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunState

ENOUGH_DEGREES = 4
"""With fewer degrees of freedom in the wave itself, earlier waves of the same size lend theirs."""

Judgement = Literal["better", "worse", "no different", "failed", "finished", "baseline", "pending"]


class Verdict(BaseModel):
    """What a wave found out about one experiment."""

    model_config = ConfigDict(frozen=True)

    verdict: Judgement
    metric: str = JUDGED
    mean: float | None = None
    """Mean over the seeds that finished, in the metric's unit."""
    baseline: float | None = None
    """The same of the baseline."""
    difference: float | None = None
    """Mean minus baseline."""
    standard_error: float | None = None
    """Of the difference; None where the noise is unknown."""
    threshold: float | None = None
    """How large the difference must be to be one."""
    noise: float | None = None
    """Standard deviation between seeds that it was judged against."""
    noise_source: str = ""
    """What that was measured from."""
    seeds: int = 0
    """Seeds that finished."""
    text: str = ""
    """All of it in a sentence."""


def verdicts(project: Project, wave_id: int) -> dict[str, Verdict]:
    """The verdict on each experiment of a wave, by its id.

    Raises:
        NotFoundError: There is no such wave.
        WavebookError: Its wave.json is damaged.
    """
    return judge(collect(project, [wave_id]), wave_id)


def judge(comparison: Comparison, wave_id: int) -> dict[str, Verdict]:
    """The verdicts on the experiments of one wave among those collected."""
    experiments = comparison.of_wave(wave_id)
    baseline = find_baseline(comparison, wave_id)
    protocol = baseline.protocol if baseline else None
    noise = noise_floor(comparison, wave_id, JUDGED, protocol)
    return {
        experiment.id: _verdict(experiment, baseline, noise, is_baseline=experiment is baseline)
        for experiment in experiments
    }


def judge_all(comparison: Comparison) -> dict[str, Verdict]:
    """The verdicts on all experiments collected, each against its own wave's baseline."""
    return {name: verdict for plan in comparison.plans for name, verdict in judge(comparison, plan.id).items()}


def find_baseline(comparison: Comparison, wave_id: int) -> Experiment | None:
    """What a wave is judged against: the experiment marked so, else the one without overrides of its own.

    A wave without either takes the baseline of its parent, where that trained the same task at the same size.
    """
    own = comparison.of_wave(wave_id)
    found = next((e for e in own if e.spec.baseline), None) or next((e for e in own if not e.spec.changes), None)
    if found is not None or not own:
        return found
    plan = own[0].plan
    if plan.parent is None or plan.parent >= wave_id:
        return None
    try:
        parent = collect(comparison.project, [plan.parent])
    except WavebookError:
        return None
    inherited = find_baseline(parent, plan.parent)
    return inherited if inherited is not None and inherited.size in {e.size for e in own} else None


def noise_floor(comparison: Comparison, wave_id: int, metric: str, protocol: str | None) -> Noise | None:
    """How far seeds lie apart: pooled from the wave's experiments that have several seeds.

    Where these give less than four degrees of freedom, the experiments of earlier waves with the same task,
    environments and iterations, measured by the same protocol, are pooled too. Later waves are not, so that a verdict
    stays what it was.
    """
    own = comparison.of_wave(wave_id)
    groups = _several(own, metric, protocol)
    source = f"{counted(len(groups), 'experiment')} of wave {wave_id} with several seeds"
    if sum(len(group) - 1 for group in groups) < ENOUGH_DEGREES:
        sizes = {experiment.size for experiment in own}
        earlier = [wave.id for wave in comparison.project.waves() if wave.id < wave_id]
        lent: list[list[float]] = []
        for wave in earlier:
            try:
                others = collect(comparison.project, [wave]).experiments
            except WavebookError:
                continue
            lent += _several([e for e in others if e.size in sizes], metric, protocol)
        if lent:
            groups += lent
            source = f"{counted(len(groups), 'experiment')} of waves up to {wave_id} with several seeds"
    return pooled(groups, source)


def _several(experiments: Iterable[Experiment], metric: str, protocol: str | None) -> list[list[float]]:
    groups = (experiment.measured(metric, protocol) for experiment in experiments)
    return [group for group in groups if len(group) > 1]


def _verdict(experiment: Experiment, baseline: Experiment | None, noise: Noise | None, *, is_baseline: bool) -> Verdict:
    protocol = baseline.protocol if baseline else None
    numbers = experiment.measured(JUDGED, protocol) if protocol else experiment.measured()
    mean = fmean(numbers) if numbers else None
    known = Verdict(verdict="pending", mean=mean, seeds=len(numbers))
    so_far = f" So far {_amount(mean)} from {counted(len(numbers), 'seed')}." if mean is not None else ""

    if experiment.broken:
        names = ", ".join(run.id for run in experiment.broken)
        why = next((f": {run.message}" for run in experiment.broken if run.message), "")
        broke = f"{len(experiment.broken)} of {counted(len(experiment.runs), 'run')} failed ({names}{why})"
        left = " Its other seeds are not judged: survivors are no fair sample." if numbers else ""
        return _with(known, "failed", f"{broke}.{left}{so_far}")
    if experiment.unfinished:
        return _with(known, "pending", f"{counted(len(experiment.unfinished), 'run')} not finished.{so_far}")
    if all(run.state is RunState.CANCELLED for run in experiment.runs):
        return _with(known, "failed", "All of its runs were cancelled.")
    if is_baseline:
        spread = f"; seeds lie {_amount(noise.deviation)} apart (standard deviation)" if noise else ""
        known = known.model_copy(update={"noise": noise.deviation, "noise_source": noise.source} if noise else {})
        return _with(known, "baseline", f"{_amount(mean)} from {counted(len(numbers), 'seed')}{spread}.")
    if baseline is None:
        return _with(known, "pending", f"The wave names no baseline to judge against.{so_far}")
    if baseline.broken and experiment.plan.purpose == "diagnosis":
        text = f"Finished where the control {baseline.id} failed; a diagnosis ranks nothing.{so_far}"
        return _with(known, "finished", text)
    others = baseline.measured(JUDGED, protocol)
    if baseline.broken or baseline.unfinished or not others:
        state = "failed" if baseline.broken else "has not finished"
        return _with(known, "pending", f"The baseline {baseline.id} {state}: nothing to judge against.{so_far}")
    if not numbers:
        text = f"It was evaluated by protocol {experiment.protocol}, the baseline {baseline.id} by {protocol}"
        return _with(known, "pending", f"{text}: evaluate one of them again.")
    return _judged(known, numbers, others, baseline, difference(numbers, others, noise))


def _judged(
    known: Verdict, numbers: Sequence[float], others: Sequence[float], baseline: Experiment, found: Difference | None
) -> Verdict:
    mean, base = fmean(numbers), fmean(others)
    known = known.model_copy(update={"baseline": base, "difference": mean - base})
    against = f"{_amount(mean)} against {_amount(base)} of {baseline.id}"
    if found is None:
        text = f"{against}, but no experiment has seeds that differ, so the noise is unknown: add a seed to judge this."
        return _with(known, "no different", text)
    known = known.model_copy(
        update={
            "standard_error": found.standard_error,
            "threshold": found.threshold,
            "noise": found.noise.deviation,
            "noise_source": found.noise.source,
        }
    )
    judgement: Judgement = "no different" if not found.real else "better" if found.value < 0 else "worse"
    errors = abs(found.value) / found.standard_error
    change = f"{format_error(found.value, sign=True)} {quantity(JUDGED).unit}"
    text = (
        f"{against}: {change}, {errors:.1f} standard errors, where "
        f"{found.threshold / found.standard_error:.1f} are needed "
        f"({counted(int(found.degrees), 'degree')} of freedom). "
        f"Noise {_amount(found.noise.deviation)} from {found.noise.source}."
    )
    return _with(known, judgement, text)


def _with(known: Verdict, judgement: Judgement, text: str) -> Verdict:
    return known.model_copy(update={"verdict": judgement, "text": text})


def format_error(value: float, *, sign: bool = False) -> str:
    """A velocity error [m/s] to the millimetre, a smaller one with two digits."""
    digits = ".3f" if abs(value) >= 0.00995 else ".2g"
    return f"{value:{'+' if sign else ''}{digits}}".replace("-", "−")


def _amount(value: float | None) -> str:
    return "nothing" if value is None else f"{format_error(value)} {quantity(JUDGED).unit}"
