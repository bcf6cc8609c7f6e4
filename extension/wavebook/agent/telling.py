"""What the offline planner says about the records that a wave rests on."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from wavebook.agent.evidence import Evidence, Ranking
from wavebook.agent.topics import Topic
from wavebook_tools.metrics.quantities import counted, format_number, quantity


def told_records(evidence: Evidence, ranking: Ranking | None, topic: Topic) -> list[str]:
    """Sentences on what was read, what is best, and what is not tried further."""
    told = [f"Left out: {problem}" for problem in evidence.problems]
    waiting = sum(tried.unfinished for tried in evidence.tried)
    if waiting:
        told.append(f"{waiting} runs of earlier waves have not ended; I planned without their results.")
    if ranking is None:
        if not evidence.tried:
            told.append("Nothing was run on this task yet, so the wave begins with the baseline.")
        elif not waiting:
            told.append("No earlier run on this task has a result, so the wave begins with the baseline.")
        return told
    reference, best = ranking.reference, ranking.best
    said = f"{reference.tried.name} reached {amount(reference.values, topic.metric)}"
    if best is reference:
        told.append(f"{said}, and nothing tried since was better by more than the noise.")
    else:
        assert best.difference is not None
        gain = abs(best.difference.value) / best.difference.standard_error
        told.append(
            f"{best.tried.name} is the best so far with {amount(best.values, topic.metric)}; {said}. The difference is "
            f"{gain:.1f} standard errors, so {best.tried.name} becomes the base of this wave."
        )
    worse = [standing.tried.name for standing in ranking.others if standing.worse]
    if worse:
        told.append(f"Worse than the baseline, and not tried further: {', '.join(worse)}.")
    return told


def amount(values: Sequence[float], metric: str) -> str:
    """The mean of a number over seeds, with its unit."""
    unit = quantity(metric).unit
    shown = f"{format_number(fmean(values), 3)}{f' {unit}' if unit not in {'', '–', 'fraction'} else ''}"
    return f"{metric} {shown} ({counted(len(values), 'seed')})"
