"""What a wave taught, in sentences that follow from its numbers and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment
from wavebook_tools.comparison.isolation import isolated
from wavebook_tools.comparison.statistics import difference
from wavebook_tools.comparison.verdict import Verdict, find_baseline, format_error, noise_floor
from wavebook_tools.metrics.quantities import format_number, quantity


def findings(comparison: Comparison, verdicts: Mapping[str, Verdict]) -> list[str]:
    """Sentences on a single wave: what helped, what did not, which predictions held, how fine the wave could see."""
    (plan,) = comparison.plans
    if plan.purpose == "diagnosis":
        return isolated(comparison)
    found: list[str] = []
    unit = quantity(JUDGED).unit
    for judgement, words in (("better", "lowers"), ("worse", "raises")):
        for experiment in _of(comparison, verdicts, judgement):
            verdict = verdicts[experiment.id]
            if verdict.difference is None or not verdict.baseline:
                continue
            share = abs(verdict.difference) / verdict.baseline
            found.append(
                f"{experiment.label} {words} the velocity error by {format_error(abs(verdict.difference))} {unit} "
                f"({share:.0%}), more than the {format_error(verdict.threshold or 0.0)} {unit} that chance explains."
            )
    if alike := _of(comparison, verdicts, "no different"):
        found.append(f"No difference from the baseline was found for {', '.join(e.label for e in alike)}.")
    found += [line for e in comparison.experiments if (line := prediction_outcome(e, comparison, verdicts[e.id]))]
    if failed := _of(comparison, verdicts, "failed"):
        found.append(f"Nothing can be said of {', '.join(e.label for e in failed)}: it failed or was cancelled.")
    if pending := _of(comparison, verdicts, "pending"):
        found.append(f"Not judged yet: {', '.join(e.label for e in pending)}.")
    thresholds = [v.threshold for v in verdicts.values() if v.threshold is not None]
    if thresholds:
        found.append(
            f"With its seeds this wave could tell apart differences of {format_error(max(thresholds))} {unit} "
            "and more; smaller ones need more seeds."
        )
    elif not any(verdict.noise for verdict in verdicts.values()):
        found.append("The noise between seeds is unknown: at least one experiment needs a second seed.")
    return found or [f"Wave {plan.id} has no finished run yet."]


def prediction_outcome(experiment: Experiment, comparison: Comparison, verdict: Verdict) -> str:
    """Whether what the experiment predicted came true; empty where it predicted nothing or nothing was measured.

    A change counts only beyond the noise between seeds. Where a number other than the judged one has no known noise, as
    a fraction that is 1 on every seed, the means are compared as they are. A predicted size is the least that is to
    come: a change that falls short of it by more than the noise did not hold.
    """
    prediction = experiment.spec.prediction
    baseline = find_baseline(comparison, experiment.plan.id)
    if prediction is None or baseline is None or baseline is experiment or verdict.verdict in ("pending", "failed"):
        return ""
    mine = experiment.measured(prediction.metric, baseline.protocol)
    others = baseline.measured(prediction.metric, baseline.protocol)
    if not mine or not others:
        return ""
    change = fmean(mine) - fmean(others)
    if prediction.metric == JUDGED:
        threshold = verdict.threshold
    else:
        noise = noise_floor(comparison, experiment.plan.id, prediction.metric, baseline.protocol)
        found = difference(mine, others, noise)
        threshold = found.threshold if found is not None else 1e-12
    seen = "same" if threshold is None or abs(change) <= threshold else "down" if change < 0 else "up"
    reason = ""
    if seen == "same" and ("down" if change < 0 else "up") == prediction.direction:
        reason = ", which chance explains as well"
    elif (
        seen == prediction.direction != "same"
        and prediction.by is not None
        and abs(change) + (threshold or 0.0) < prediction.by * abs(fmean(others))
    ):
        reason = ", less than predicted by more than chance explains"
    held = "held" if seen == prediction.direction and not reason else "did not hold"
    wanted = prediction.direction + (f" by {prediction.by:.0%}" if prediction.by is not None else "")
    share = f" ({change / fmean(others):+.0%})" if fmean(others) else ""
    about = quantity(prediction.metric)
    return (
        f"The prediction of {experiment.label} that {about.label} goes {wanted} {held}: "
        f"{format_number(fmean(others), 3)} became {format_number(fmean(mine), 3)} {about.unit}{share}{reason}."
    )


def checked_predictions(comparison: Comparison, verdicts: Mapping[str, Verdict]) -> dict[str, tuple[bool, str]]:
    """For each experiment whose prediction can be checked whether it held, and the sentence on it."""
    told = {e.id: prediction_outcome(e, comparison, verdicts[e.id]) for e in comparison.experiments}
    return {name: (" did not hold: " not in text, text) for name, text in told.items() if text}


def _of(comparison: Comparison, verdicts: Mapping[str, Verdict], judgement: str) -> list[Experiment]:
    return [experiment for experiment in comparison.experiments if verdicts[experiment.id].verdict == judgement]
