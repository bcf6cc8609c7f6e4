"""A wave of experiments that the directive names: one repeated, several compared, or what they change joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from wavebook.agent.by_name import compared, find_named, no_experiment, together
from wavebook.agent.evidence import Evidence, Ranking, Tried, fresh_seeds, rank, read_evidence
from wavebook.agent.manners import BASELINE_SEEDS
from wavebook.agent.repeating import other_device
from wavebook.agent.topics import Topic
from wavebook.agent.wave_frame import WaveFrame
from wavebook_tools.comparison.statistics import difference
from wavebook_tools.errors import UsageError
from wavebook_tools.metrics.quantities import counted
from wavebook_tools.records.plan import ExperimentSpec, Prediction, WavePlan, slugify
from wavebook_tools.tasks import TaskSchema, task_named

REPRODUCTION_SEEDS = 3


class NamedExperiments:
    """Plans such a wave in its frame.

    Each of its waves raises ``UsageError`` where the records do not have what is named, or the budget not the runs.
    """

    def __init__(self, frame: WaveFrame) -> None:
        self.frame = frame
        self.directive = frame.directive
        self.reasons = frame.reasons

    def reproduction(self, schema: TaskSchema) -> WavePlan:
        """A configuration on new seeds, beside the one that it was judged against."""
        topic = self.frame.topic(schema)
        subject, evidence, schema = self._subject(schema, topic)
        ranking = rank(evidence, topic.metric, topic.direction)
        reference = ranking.reference.tried if ranking else None
        specs = []
        baseline = reference if reference is not None and reference is not subject else None
        if baseline is not None and self.frame.max_runs() == 1:
            self.reasons.append(f"The budget of one run leaves out {baseline.name}, which {subject.name} is judged by.")
            baseline = None
        judged = [subject] if baseline is None else [subject, baseline]
        seeds = self._common_seeds(judged, len(judged))
        if baseline is not None:
            alike = f"{baseline.name} on the same new seeds, so that both are measured alike."
            specs.append(self._again(0, baseline, seeds, alike, baseline=True))
        against = f" against {baseline.name}" if baseline else ""
        specs.append(
            self._again(
                len(specs),
                subject,
                seeds,
                f"The result of {subject.name}{against} holds on seeds that it has not seen.",
                baseline=baseline is None,
                prediction=Prediction(
                    metric=topic.metric, direction=topic.direction if baseline is not None else "same"
                ),
            )
        )
        self.reasons.append(f"{subject.name} ran on seeds {_listed(sorted(subject.seeds))}; these are new ones.")
        other = other_device(self.frame.project, subject) if self.frame.devices() == ["auto"] else None
        if other is not None:
            self.reasons.append(f"{subject.name} is repeated on another device, {other.name}, to see if it wins there.")
        goal = f"Reproduce {subject.name} on {len(seeds)} new seeds"
        plan = self._of_named(schema, topic, specs, evidence, subject, goal)
        return plan if other is None else plan.model_copy(update={"devices": [other.id]})

    def comparison(self, schema: TaskSchema) -> WavePlan:
        """Named configurations on the same new seeds, judged against the baseline where it is among them, else against
        the first of them."""
        topic = self.frame.topic(schema)
        schema, evidence, ranking, found = self._named(schema, topic)
        reference = ranking.reference.tried if ranking else None
        found.sort(key=lambda tried: tried is not reference)
        first, *others = found
        self.reasons += compared(found, evidence, topic.metric)
        seeds = self._common_seeds(found, len(found))
        against = f"{first.name} on new seeds, which the others are judged against."
        specs = [self._again(0, first, seeds, against, baseline=True)]
        for tried in others:
            differs = f"{tried.name} differs from {first.name} on the same new seeds as it does in the records."
            prediction = Prediction(metric=topic.metric, direction=_expected(first, tried, evidence, topic))
            specs.append(self._again(len(specs), tried, seeds, differs, prediction=prediction))
        goal = f"Compare {' and '.join(tried.name for tried in found)} on {counted(len(seeds), 'new seed')}"
        return self._of_named(schema, topic, specs, evidence, first, goal)

    def combination(self, schema: TaskSchema) -> WavePlan:
        """What named configurations change, in one, beside the baseline."""
        topic = self.frame.topic(schema)
        schema, evidence, ranking, found = self._named(schema, topic)
        both = together(found)
        self.reasons += compared(found, evidence, topic.metric)
        reference = ranking.reference.tried if ranking else None
        compared_with = reference if reference is not None and reference not in found else found[0]
        seeds = self._common_seeds([compared_with, *found], 2, BASELINE_SEEDS)
        names = " and ".join(tried.name for tried in found)
        if evidence.has(both.overrides, both.code):
            self.reasons.append(f"{names} ran together before; this wave tells whether it holds on new seeds.")
        specs = [
            self._again(0, compared_with, seeds, f"{compared_with.name} on the same new seeds.", baseline=True),
            ExperimentSpec(
                id=self.frame.numbers.experiment_id(1),
                slug=slugify(names),
                hypothesis=f"What {names} change adds up: together they beat {compared_with.name}.",
                overrides=both.overrides,
                code=list(both.code),
                seeds=seeds,
                prediction=Prediction(metric=topic.metric, direction=topic.direction),
                evidence=[name for tried in found for name in tried.names],
            ),
        ]
        return self._of_named(schema, topic, specs, evidence, found[0], f"Combine {names}")

    def _named(self, schema: TaskSchema, topic: Topic) -> tuple[TaskSchema, Evidence, Ranking | None, list[Tried]]:
        """What the directive names, with the records of the task on which most of it ran."""
        names = self.directive.subjects
        tasks = list(dict.fromkeys([schema.task, *self.frame.tasks]))
        records = {task: read_evidence(self.frame.project, task) for task in tasks}
        ran = {task: sum(records[task].find(name) is not None for name in names) for task in tasks}
        task = max(tasks, key=lambda one: (ran[one], len(records[one].tried)))
        ranking = rank(records[task], topic.metric, topic.direction)
        return task_named(task, self.frame.tasks), records[task], ranking, find_named(names, records[task], ranking)

    def _subject(self, schema: TaskSchema, topic: Topic) -> tuple[Tried, Evidence, TaskSchema]:
        """What is to be reproduced, with the records of its task."""
        name = self.directive.subject
        known: list[str] = []
        for task in dict.fromkeys([schema.task, *self.frame.tasks]):
            evidence = read_evidence(self.frame.project, task)
            known += evidence.known
            if name is None:
                ranking = rank(evidence, topic.metric, topic.direction)
                if ranking is not None:
                    return ranking.best.tried, evidence, task_named(task, self.frame.tasks)
            elif (found := evidence.find(name)) is not None:
                return found, evidence, task_named(task, self.frame.tasks)
        if name is None:
            raise UsageError("nothing was measured yet, so there is nothing to repeat; ask for a first wave")
        raise no_experiment(name, sorted(known))

    def _common_seeds(self, found: Sequence[Tried], experiments: int, number: int = REPRODUCTION_SEEDS) -> list[int]:
        """Seeds that none of them has seen, as many as are asked for and the budget leaves."""
        used = {seed for tried in found for seed in tried.seeds}
        seeds = self.directive.seed_list or fresh_seeds(used, self.directive.seeds or number)
        budget = self.frame.max_runs()
        if len(seeds) * experiments > budget:
            if experiments > budget:
                raise UsageError(f"{experiments} experiments need {experiments} runs, and {budget} are allowed")
            seeds = seeds[: budget // experiments]
            self.reasons.append(f"The budget of {counted(budget, 'run')} leaves {counted(len(seeds), 'seed')} each.")
        return seeds

    def _again(
        self,
        offset: int,
        tried: Tried,
        seeds: list[int],
        hypothesis: str,
        *,
        baseline: bool = False,
        prediction: Prediction | None = None,
    ) -> ExperimentSpec:
        """A configuration once more."""
        return ExperimentSpec(
            id=self.frame.numbers.experiment_id(offset),
            slug=f"again-{tried.name}",
            hypothesis=hypothesis,
            overrides=tried.overrides,
            code=list(tried.code),
            seeds=seeds,
            baseline=baseline,
            prediction=prediction,
            evidence=tried.names,
        )

    def _of_named(
        self,
        schema: TaskSchema,
        topic: Topic,
        specs: list[ExperimentSpec],
        evidence: Evidence,
        like: Tried,
        goal: str,
    ) -> WavePlan:
        """A wave of the size that the named configurations had."""
        _, num_envs, iterations = like.size
        size = (self.directive.num_envs or num_envs, self.directive.iterations or iterations)
        parent = like.experiments[-1].plan.id
        return self.frame.plan(schema, topic, specs, goal=goal, parent=parent, size=size, evidence=evidence)


def _expected(first: Tried, tried: Tried, evidence: Evidence, topic: Topic) -> Literal["down", "up", "same"]:
    """Which way a configuration lies from another in the records, where that is more than seeds explain."""
    protocol, noise = evidence.protocol(topic.metric), evidence.noise(topic.metric)
    found = difference(tried.values(topic.metric, protocol), first.values(topic.metric, protocol), noise)
    if found is None or not found.real or tried.size != first.size:
        return "same"
    return "down" if found.value < 0 else "up"


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
