"""Whether a night came further: what a wave taught, whether the goal is reached, whether it is stuck."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Literal

from wavebook.agent.evidence import Evidence, Ranking, Standing, rank, read_evidence
from wavebook.agent.night.grant import Judged, NightRecord
from wavebook.agent.night.terms import Goal, Terms
from wavebook.agent.reading import read_directive
from wavebook.agent.variations import on_task
from wavebook_tools.comparison.data import JUDGED, collect
from wavebook_tools.comparison.statistics import Noise, difference
from wavebook_tools.metrics.quantities import counted, format_number, quantity
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunState
from wavebook_tools.tasks import load_tasks

GOAL_SEEDS = 2
"""Seeds on which a goal must be reached: the best of many single runs is mostly luck."""

FAILED_WAVES = 2
"""So many waves in a row without any result end the night."""

Direction = Literal["down", "up"]


def aim(project: Project, terms: Terms) -> tuple[str, Direction]:
    """The number that the night is about, and which way it is better: its goal's, else its directive's."""
    if terms.until is not None:
        return terms.until.metric, "down" if terms.until.lower else "up"
    tasks, default = load_tasks(), project.settings().training.task
    read = read_directive(terms.directive, tasks, default)
    schema = tasks.get(read.task or default)
    topic = next((topic for topic in read.topics if topic.measured), None)
    if topic is None or schema is None:
        return JUDGED, "down"
    topic = on_task(topic, schema)
    return topic.metric, topic.direction


def judge(project: Project, night: NightRecord, wave: int) -> Judged:
    """What a wave taught whose runs have ended."""
    experiments = collect(project, [wave]).experiments
    runs = [run for experiment in experiments for run in experiment.runs]
    done = sum(bool(run.results) for run in runs)
    broken = sum(len(experiment.broken) for experiment in experiments)
    metric, direction = aim(project, night.terms)
    evidence = read_evidence(project, project.wave(wave).plan().task)
    ranking = rank(evidence, metric, direction)
    cancelled = sum(run.state is RunState.CANCELLED for run in runs)
    ended = "".join(f"; {number} {how}" for number, how in ((broken, "broke"), (cancelled, "cancelled")) if number)
    if ranking is None:
        text = f"none of {counted(len(runs), 'run')} has a result{ended}"
        return Judged(wave=wave, done=done, broken=broken, text=text)
    before = _before(evidence, ranking, night.judged)
    best = ranking.best
    improved = best is not before and _beats(best, before, ranking, evidence, direction)
    unit = quantity(metric).unit
    amount = f"{metric} {format_number(best.mean, 3)}{f' {unit}' if unit not in {'–', 'fraction'} else ''}"
    text = (
        f"{done} of {counted(len(runs), 'run')} have a result{ended}; best so far {best.tried.name} with {amount} "
        f"({counted(best.seeds, 'seed')}), "
        + ("better than before by more than the noise" if improved else "no improvement beyond the noise")
    )
    return Judged(wave=wave, best=best.tried.name, improved=improved, done=done, broken=broken, text=text)


def _before(evidence: Evidence, ranking: Ranking, judged: Sequence[Judged]) -> Standing:
    """What was best before the wave; the baseline where nothing was judged yet."""
    name = next((one.best for one in reversed(judged) if one.best), None)
    tried = evidence.find(name) if name else None
    return next((s for s in (ranking.reference, *ranking.others) if s.tried is tried), ranking.reference)


def _beats(one: Standing, other: Standing, ranking: Ranking, evidence: Evidence, direction: Direction) -> bool:
    protocol = evidence.protocol(ranking.metric)
    new, old = (standing.tried.values(ranking.metric, protocol) for standing in (one, other))
    found = difference(new, old, ranking.noise)
    return found is not None and found.real and (found.value < 0) == (direction == "down")


def reached(project: Project, goal: Goal, tasks: Sequence[str]) -> str | None:
    """The sentence that says which configuration reaches a goal, or None where none does.

    It must be reached by a mean over ``GOAL_SEEDS`` seeds or more, with the noise of that mean on the safe side:
    the limit that holds 95.45 percent (statistics.py).
    """
    for task in dict.fromkeys(tasks):
        evidence = read_evidence(project, task)
        noise, protocol = evidence.noise(goal.metric), evidence.protocol(goal.metric)
        for tried in evidence.measured(goal.metric):
            values = tried.values(goal.metric, protocol)
            if noise is None or len(values) < GOAL_SEEDS or tried.broken:
                continue
            margin = margin_of(noise, len(values))
            mean = fmean(values)
            if mean + margin < goal.value if goal.lower else mean - margin > goal.value:
                return (
                    f"{tried.name} has {goal.metric} {format_number(mean, 3)} ± {format_number(margin, 2)} "
                    f"over {len(values)} seeds, which is {goal.text}"
                )
    return None


def margin_of(noise: Noise, seeds: int) -> float:
    """How far a mean over seeds may be off."""
    return noise.factor * noise.deviation / math.sqrt(seeds)


def stuck(night: NightRecord) -> str | None:
    """Why going on is of no use, or None where it may be."""
    judged = night.judged
    if len(judged) >= FAILED_WAVES and not any(one.done for one in judged[-FAILED_WAVES:]):
        waves = ", ".join(str(one.wave) for one in judged[-FAILED_WAVES:])
        return f"no run of the waves {waves} came to a result"
    if len(judged) >= night.terms.patience and not any(one.improved for one in judged[-night.terms.patience :]):
        return f"no improvement beyond the noise in {night.terms.patience} waves"
    return None
