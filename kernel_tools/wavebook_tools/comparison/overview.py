"""The head of a comparison: what was asked, and each experiment's verdict beside the parameters that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment
from wavebook_tools.comparison.parameters import differing, short_names
from wavebook_tools.comparison.verdict import Verdict, format_error
from wavebook_tools.display.tables import Table
from wavebook_tools.metrics.quantities import quantity
from wavebook_tools.records.run import RunState

MARKS = {
    "better": "✓ better",
    "worse": "✗ worse",
    "no different": "= no different",
    "failed": "! failed",
    "finished": "✓ finished",
    "baseline": "● baseline",
    "pending": "… pending",
}
"""A sign beside the word, so that verdicts are told apart at a glance and without colour."""


def ranked(experiments: Sequence[Experiment], verdicts: Mapping[str, Verdict]) -> list[Experiment]:
    """By the fixed evaluation's velocity error, the best first; what is not judged comes last in the plan's order."""
    order = {experiment.id: number for number, experiment in enumerate(experiments)}

    def key(experiment: Experiment) -> tuple[bool, float, int]:
        verdict = verdicts[experiment.id]
        judged = verdict.mean is not None and verdict.verdict not in ("pending", "failed", "finished")
        return not judged, verdict.mean or 0.0 if judged else 0.0, order[experiment.id]

    return sorted(experiments, key=key)


def verdict_table(experiments: Sequence[Experiment], verdicts: Mapping[str, Verdict]) -> Table:
    """One row an experiment: verdict, velocity error, difference, noise, and the parameters that differ."""
    names = differing(experiments)
    short = short_names(list(names))
    rows: list[dict[str, Any]] = []
    for number, experiment in enumerate(experiments):
        verdict = verdicts[experiment.id]
        rows.append(
            {
                "experiment": experiment.label,
                "verdict": MARKS[verdict.verdict],
                "mean": _number(verdict.mean),
                "difference": _number(verdict.difference, sign=True),
                "threshold": _number(verdict.threshold),
                "seeds": f"{verdict.seeds} of {len(experiment.runs)}",
                **{short[name]: values[number] for name, values in names.items()},
            }
        )
    unit = quantity(JUDGED).unit
    headers = {
        "mean": f"velocity error [{unit}]",
        "difference": f"difference [{unit}]",
        "threshold": f"must exceed [{unit}]",
        "seeds": "seeds done",
        **{name: name for name in short.values()},
    }
    columns = ("experiment", "verdict", "mean", "difference", "threshold", "seeds", *short.values())
    caption = "Experiments, best first, with the parameters that differ"
    return Table(columns, tuple(rows), caption, headers, numeric=("mean", "difference", "threshold"), short=columns[:2])


def overview_html(comparison: Comparison, experiments: Sequence[Experiment], verdicts: Mapping[str, Verdict]) -> str:
    """Goals, states, what could not be read, the table, and every verdict in a sentence."""
    parts = []
    for plan in comparison.plans:
        asked = f"<p class='asked'>Asked: {escape(plan.directive)}</p>" if plan.directive else ""
        parts.append(f"<h1>Wave {plan.id}: {escape(plan.goal)}</h1>{asked}<p>{escape(_state(comparison, plan.id))}</p>")
    if comparison.problems:
        listed = "".join(f"<li>{escape(problem)}</li>" for problem in comparison.problems)
        parts.append(f"<p>Not readable:</p><ul>{listed}</ul>")
    parts.append(f'<div class="rows">{verdict_table(experiments, verdicts).html()}</div>')
    sentences = "".join(
        f"<li><b>{escape(experiment.label)}</b>: {escape(verdicts[experiment.id].text)}</li>"
        for experiment in experiments
    )
    parts.append(
        f"<details{' open' if len(experiments) <= 6 else ''}><summary>Why</summary><ul>{sentences}</ul></details>"
    )
    return "".join(parts)


def _state(comparison: Comparison, wave_id: int) -> str:
    plan = next(plan for plan in comparison.plans if plan.id == wave_id)
    runs = [run for experiment in comparison.of_wave(wave_id) for run in experiment.runs]
    counts = Counter(run.state for run in runs)
    states = ", ".join(f"{counts[state]} {state}" for state in RunState if counts[state])
    return f"{plan.task} · {plan.num_envs} environments · {plan.iterations} iterations · {len(runs)} runs: {states}"


def _number(value: float | None, *, sign: bool = False) -> str:
    return "–" if value is None else format_error(value, sign=sign)
