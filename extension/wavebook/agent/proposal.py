"""From a directive and the records to a wave: its base, its experiments, their seeds, and the reasons in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from wavebook.agent.branches import closed_branches, closing, left_for
from wavebook.agent.by_name import compared, find_named, no_experiment, together
from wavebook.agent.collapse import close_collapsed
from wavebook.agent.directive import Directive
from wavebook.agent.estimate import estimate
from wavebook.agent.evidence import Evidence, Ranking, Standing, Tried, fresh_seeds, rank, read_evidence
from wavebook.agent.repeating import other_device
from wavebook.agent.submission import check_placed
from wavebook.agent.telling import told_records
from wavebook.agent.topics import BY_KEY, UNMEASURED, Topic
from wavebook.agent.variations import Setting, Variation, on_task, repeated, variations
from wavebook_tools.comparison.statistics import difference
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.devices import list_devices, select_devices
from wavebook_tools.metrics.quantities import counted, quantity
from wavebook_tools.records.code import CodeOverride, marks
from wavebook_tools.records.numbering import Numbers
from wavebook_tools.records.plan import Budget, ExperimentSpec, Overrides, Prediction, WavePlan, slugify
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema, check_plan, task_named

EXPERIMENTS = 3
"""Of a wave, where nothing else is asked: the baseline and two variations."""

MOST_EXPERIMENTS = 16
BASELINE_SEEDS = 2
"""The fewest seeds that tell the noise."""

ENOUGH_DEGREES = 4
"""Degrees of freedom from which the noise is known well enough for one new seed of the base, as in the verdicts."""

FEWEST_WITH_REPEAT = 3
"""A wave of so many experiments has room for a repeat beside its base and something new."""

REPRODUCTION_SEEDS = 3
FEWEST_ITERATIONS = 10


@dataclass
class Proposed:
    """A plan and why it is so, in sentences."""

    plan: WavePlan
    reasons: list[str] = field(default_factory=list)


class Proposer:
    """Plans one wave."""

    def __init__(
        self, project: Project, directive: Directive, numbers: Numbers, tasks: Mapping[str, TaskSchema], planner: str
    ) -> None:
        self.project = project
        self.directive = directive
        self.numbers = numbers
        self.tasks = tasks
        self.planner = planner
        self.settings = project.settings()
        self.reasons: list[str] = []

    def propose(self) -> Proposed:
        """The wave.

        Raises:
            UsageError: There is nothing to plan, or what is asked for cannot run.
        """
        directive = self.directive
        schema = task_named(directive.task or self.settings.training.task, self.tasks)
        close_collapsed(self.project, self.planner)
        if directive.task is None and (sibling := left_for(self.project, schema.task, self.tasks)) is not None:
            self.reasons.append(f"{schema.task} was given up, so this wave goes on with {sibling.task}.")
            schema = sibling
        made = {"reproduce": self._reproduction, "compare": self._comparison, "combine": self._combination}
        plan = self._within_time(made.get(directive.intent, self._exploration)(schema))
        check_plan(plan, self.tasks)
        check_placed(self.project, plan)
        return Proposed(plan, self.reasons)

    def _exploration(self, schema: TaskSchema) -> WavePlan:
        directive = self.directive
        topic = self._topic(schema)
        evidence = read_evidence(self.project, schema.task)
        ranking = rank(evidence, topic.metric, topic.direction)
        base = dict(ranking.best.tried.overrides) if ranking else {}
        code = list(ranking.best.tried.code) if ranking else []
        self.reasons += told_records(evidence, ranking, topic)
        setting = Setting(schema, directive, topic, base, evidence, ranking, self._closed(schema), code)

        wanted = self._experiments()
        # A single run on a win that was not repeated would build on luck, and could not be approved: it confirms it.
        free = directive.unattended or not directive.named
        confirms = wanted == 1 and free and ranking is not None and _unconfirmed(ranking)
        with_baseline = wanted > 1 or ranking is None or directive.baseline_only or confirms
        if confirms and ranking is not None:
            self.reasons.append(f"{ranking.best.tried.name} was not repeated yet, so the only run repeats it.")
        for name in directive.named:
            if name in directive.kept:
                self.reasons.append(f"{name} is both to change and to stay as it is, so it stays.")
        for assignment in directive.assignments:
            if assignment.value == setting.current(assignment.parameter):
                self.reasons.append(f"{assignment.parameter} = {assignment.value} is what the base has already.")
        again = self._promising(ranking) if with_baseline and wanted > FEWEST_WITH_REPEAT - 1 else None
        chosen = list(islice(variations(setting), wanted - with_baseline - bool(again)))
        if not chosen and (wanted > 1 or not with_baseline):
            raise UsageError(
                f"everything I know to vary on {schema.task} was tried from this base; "
                "name a parameter and a value, for example «learning rate 5e-4»"
            )
        tried = {name for variation in chosen for name in variation.overrides}
        for wish in directive.wishes:
            if wish.parameter not in tried and wish.parameter not in directive.kept:
                self._once(f"{wish.parameter} stays: there is no room for it here, or I know no untried value.")
        seeds, base_seeds, chosen = self._seeds(chosen, with_baseline, ranking, repeats=bool(again))
        specs: list[ExperimentSpec] = []
        if with_baseline:
            specs.append(self._baseline(ranking, evidence, setting, base_seeds))
        if again is not None:
            specs.append(repeated(again, setting, self.numbers.experiment_id(len(specs))))
        specs += [self._spec(len(specs) + index, variation, seeds) for index, variation in enumerate(chosen)]
        self._tell_judgement(with_baseline, base_seeds, seeds, bool(chosen))
        parent = _parent(evidence, ranking)
        return self._plan(schema, topic, specs, overrides=base, code=code, parent=parent, evidence=evidence)

    def _promising(self, ranking: Ranking | None) -> Standing | None:
        """What the wave repeats on a new seed beside its base; that is told."""
        directive, promising = self.directive, ranking.promising if ranking else None
        if promising is None or directive.seed_list or directive.assignments or directive.wishes:
            return None
        self.reasons.append(
            f"{promising.tried.name} looks better than the base, by less than the noise allows to say; "
            "it runs again on another seed, and the search goes on around it."
        )
        return promising

    def _closed(self, schema: TaskSchema) -> list[str]:
        """Parameters that closed branches cover; which they are is told."""
        covered: list[str] = []
        for branch, why in closed_branches(self.project).items():
            names = closing(branch, schema.parameters)
            if branch == schema.task:
                self.reasons.append(f"{branch} was given up ({why}); this wave tries it because you ask for it.")
            elif names:
                self.reasons.append(f"The branch {branch} is closed ({why}), so I leave it alone.")
            covered += names
        return covered

    def _reproduction(self, schema: TaskSchema) -> WavePlan:
        topic = self._topic(schema)
        subject, evidence, schema = self._subject(schema, topic)
        ranking = rank(evidence, topic.metric, topic.direction)
        reference = ranking.reference.tried if ranking else None
        specs = []
        baseline = reference if reference is not None and reference is not subject else None
        if baseline is not None and self._max_runs() == 1:
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
        other = other_device(self.project, subject) if self._devices() == ["auto"] else None
        if other is not None:
            self.reasons.append(f"{subject.name} is repeated on another device, {other.name}, to see if it wins there.")
        goal = f"Reproduce {subject.name} on {len(seeds)} new seeds"
        plan = self._of_named(schema, topic, specs, evidence, subject, goal)
        return plan if other is None else plan.model_copy(update={"devices": [other.id]})

    def _comparison(self, schema: TaskSchema) -> WavePlan:
        """Named configurations on the same new seeds, judged against the baseline where it is among them, else against
        the first of them."""
        topic = self._topic(schema)
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

    def _combination(self, schema: TaskSchema) -> WavePlan:
        """What named configurations change, in one, beside the baseline."""
        topic = self._topic(schema)
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
                id=self.numbers.experiment_id(1),
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
        tasks = list(dict.fromkeys([schema.task, *self.tasks]))
        records = {task: read_evidence(self.project, task) for task in tasks}
        ran = {task: sum(records[task].find(name) is not None for name in names) for task in tasks}
        task = max(tasks, key=lambda one: (ran[one], len(records[one].tried)))
        ranking = rank(records[task], topic.metric, topic.direction)
        return task_named(task, self.tasks), records[task], ranking, find_named(names, records[task], ranking)

    def _common_seeds(self, found: Sequence[Tried], experiments: int, number: int = REPRODUCTION_SEEDS) -> list[int]:
        """Seeds that none of them has seen, as many as are asked for and the budget leaves."""
        used = {seed for tried in found for seed in tried.seeds}
        seeds = self.directive.seed_list or fresh_seeds(used, self.directive.seeds or number)
        budget = self._max_runs()
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
            id=self.numbers.experiment_id(offset),
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
        return self._plan(schema, topic, specs, goal=goal, parent=parent, size=size, evidence=evidence)

    def _subject(self, schema: TaskSchema, topic: Topic) -> tuple[Tried, Evidence, TaskSchema]:
        """What is to be reproduced, with the records of its task."""
        name = self.directive.subject
        known: list[str] = []
        for task in dict.fromkeys([schema.task, *self.tasks]):
            evidence = read_evidence(self.project, task)
            known += evidence.known
            if name is None:
                ranking = rank(evidence, topic.metric, topic.direction)
                if ranking is not None:
                    return ranking.best.tried, evidence, task_named(task, self.tasks)
            elif (found := evidence.find(name)) is not None:
                return found, evidence, task_named(task, self.tasks)
        if name is None:
            raise UsageError("nothing was measured yet, so there is nothing to repeat; ask for a first wave")
        raise no_experiment(name, sorted(known))

    def _topic(self, schema: TaskSchema) -> Topic:
        """The topic whose number decides."""
        topics = self.directive.topics
        topic = topics[0] if topics else BY_KEY["velocity"]
        for named in topics:
            if named.key in UNMEASURED:
                self.reasons.append(UNMEASURED[named.key])
        fitting = on_task(topic, schema)
        if fitting.metric != topic.metric:
            self.reasons.append(f"{schema.task} has no terrain levels, so the velocity error decides.")
        return fitting

    def _experiments(self) -> int:
        directive = self.directive
        wanted = directive.experiments or (directive.variations + 1 if directive.variations else 0)
        if not wanted:
            asked = len(directive.assignments) + len(directive.wishes)
            if directive.nothing_else:  # «only the learning rate» is to be tried both ways
                asked += sum(wish.way == "either" for wish in directive.wishes)
            wanted = 1 + asked if directive.nothing_else and asked else max(EXPERIMENTS, 1 + asked)
        if wanted > MOST_EXPERIMENTS:
            self.reasons.append(f"A wave has at most {MOST_EXPERIMENTS} experiments here.")
        return min(wanted, MOST_EXPERIMENTS, max(1, self._max_runs()))

    def _max_runs(self) -> int:
        allowed = self.settings.budget.max_runs
        asked = self.directive.runs
        if asked is not None and asked > allowed:
            self._once(
                f"The project's budget allows {allowed} runs a wave, not {asked} (wavebook.toml, budget.max_runs)."
            )
        return min(asked, allowed) if asked is not None else allowed

    def _seeds(
        self, chosen: list[Variation], with_baseline: bool, ranking: Ranking | None, *, repeats: bool
    ) -> tuple[int, int, list[Variation]]:
        """Seeds of each variation and of the baseline, and the variations that the budget leaves."""
        directive = self.directive
        asked = len(directive.seed_list) if directive.seed_list else directive.seeds
        each = asked or (2 if self._fast() else 1)
        known = ranking is not None and ranking.noise is not None and ranking.noise.degrees >= ENOUGH_DEGREES
        base = (asked or (1 if known else BASELINE_SEEDS)) if with_baseline else 0
        # What the variation of a wave is judged against comes before it: without the noise, nothing is learnt from it.
        needed = BASELINE_SEEDS if ranking is None or ranking.noise is None else 1
        budget, wanted = self._max_runs() - repeats, len(chosen)
        shrunk = base + each * wanted > budget
        each, base, number = next(
            (seeds, baseline, left)
            for seeds, baseline, left in _ever_smaller(each, base, wanted, needed)
            if baseline + seeds * left <= budget
        )
        chosen = chosen[:number]
        if shrunk:
            if wanted and not chosen:
                left = " So it only measures the noise; variations come with the next."
            else:
                left = f" Each variation has {each} of {asked} seeds." if asked and each < asked else ""
            self.reasons.append(f"I made the wave smaller to keep to {counted(self._max_runs(), 'run')}.{left}")
        return each, base, chosen

    def _fast(self) -> bool:
        """Whether the runs go to GPUs, where a second seed for everything costs minutes."""
        try:
            devices = select_devices(self._devices(), list_devices())
        except WavebookError:
            return False
        return any(device.kind == "gpu" for device in devices)

    def _devices(self) -> list[str]:
        """Where the wave is to run, without the GPUs that the directive wants left alone.

        Raises:
            UsageError: No device is left.
        """
        chosen, spared = self.directive.devices or self.settings.devices.use, self.directive.spared or []
        if not spared:
            return chosen
        if self.settings.engine.name != "local":
            self._once(f"A cluster chooses its GPUs itself, so GPU {', '.join(spared)} may be taken there.")
            return chosen
        allowed = [device.label for device in select_devices(chosen, list_devices())]
        left = [label for label in allowed if label.partition(":")[0] not in spared]  # 0:1 is a part of GPU 0
        if not left:
            listed = ", ".join(spared)
            raise UsageError(f"no device is left without GPU {listed}: the wave may take {', '.join(allowed)}")
        return chosen if left == allowed else left

    def _baseline(self, ranking: Ranking | None, evidence: Evidence, setting: Setting, number: int) -> ExperimentSpec:
        best = ranking.best if ranking else None
        schema, base = setting.schema, {**setting.base, **marks(setting.code)}
        known = [tried for tried in evidence.tried if tried.changes == base]
        used = {seed for tried in known for seed in tried.seeds}
        seeds = self.directive.seed_list or fresh_seeds(used, number)
        if best is None:
            slug, prediction = "baseline", None
            hypothesis = (
                f"{schema.task} as it is. How far its seeds lie apart is the noise that the others are judged against."
            )
        elif best is ranking.reference if ranking else False:
            slug = "baseline"
            hypothesis = (
                f"{best.tried.name} again on new seeds, so that this wave has its own measure to be judged against."
            )
            prediction = Prediction(metric=ranking.metric if ranking else "error_vel_xy", direction="same")
        else:
            slug = f"base-{best.tried.name}"
            hypothesis = f"The best so far, {best.tried.name}, holds its lead on seeds that it has not seen."
            prediction = Prediction(metric=ranking.metric if ranking else "error_vel_xy", direction="same")
        return ExperimentSpec(
            id=self.numbers.experiment_id(),
            slug=slug,
            hypothesis=hypothesis,
            seeds=seeds,
            baseline=True,
            prediction=prediction,
            evidence=[name for tried in known for name in tried.names],
        )

    def _spec(self, offset: int, variation: Variation, seeds: int) -> ExperimentSpec:
        return ExperimentSpec(
            id=self.numbers.experiment_id(offset),
            slug=variation.slug,
            hypothesis=variation.hypothesis,
            overrides=variation.overrides,
            seeds=self.directive.seed_list or list(range(seeds)),
            prediction=variation.prediction,
            evidence=variation.evidence,
        )

    def _plan(
        self,
        schema: TaskSchema,
        topic: Topic,
        specs: list[ExperimentSpec],
        *,
        evidence: Evidence,
        overrides: Overrides | None = None,
        code: list[CodeOverride] | None = None,
        parent: int | None = None,
        goal: str | None = None,
        size: tuple[int, int] | None = None,
    ) -> WavePlan:
        directive, training = self.directive, self.settings.training
        if size is None:
            # Numbers are compared only at equal size, so a later wave keeps the size of those before it.
            _, num_envs, iterations = evidence.tried[-1].size if evidence.tried else ("", 0, 0)
            size = (
                directive.num_envs or num_envs or training.num_envs,
                directive.iterations or iterations or training.iterations,
            )
        number = quantity(topic.metric)
        verb = "lower" if topic.direction == "down" else "raise"
        unit = f" [{number.unit}]" if number.unit not in {"", "–"} else ""
        aim = f"{verb} {topic.metric}{unit}" if topic.measured else f"watch {topic.metric}{unit}"
        goal = goal or f"{topic.goal}: {aim} in {schema.task}"
        return WavePlan(
            id=self.numbers.wave,
            slug=slugify(goal.partition(":")[0]),
            goal=goal,
            directive=directive.text,
            parent=parent,
            task=schema.task,
            num_envs=size[0],
            iterations=size[1],
            overrides=overrides or {},
            code=code or [],
            experiments=specs,
            devices=self._devices(),
            share=self.settings.devices.share,
            budget=Budget(max_runs=self._max_runs(), gpu_hours=directive.gpu_hours or self.settings.budget.gpu_hours),
            evaluation=self.settings.evaluation,
            planner=self.planner,
            rationale="",
        )

    def _within_time(self, plan: WavePlan) -> WavePlan:
        """Fewer iterations where the directive's time does not suffice, as far as earlier runs tell."""
        for limit, what in ((self.directive.seconds, "seconds"), (plan.budget.gpu_hours, "gpu_hours")):
            if limit is None:
                continue
            guess: Any = getattr(estimate(self.project, plan), what)
            words = f"{limit / 60:g} minutes" if what == "seconds" else f"{limit:g} GPU hours"
            if guess is None:
                self.reasons.append(f"No earlier run tells how long this takes, so I cannot promise {words}.")
            elif guess > limit:
                fewer = max(FEWEST_ITERATIONS, int(plan.iterations * limit / guess * 0.95))
                if fewer < plan.iterations:
                    self.reasons.append(
                        f"To keep to {words} each run has {fewer} iterations instead of {plan.iterations}."
                    )
                    plan = plan.model_copy(update={"iterations": fewer})
                left: Any = getattr(estimate(self.project, plan), what)
                if left is not None and left > limit:
                    takes = f"{left / 60:.0f} minutes" if what == "seconds" else f"{left:.2g} GPU hours"
                    self.reasons.append(f"Even so it takes about {takes}: starting and evaluating cost the rest.")
        return plan

    def _tell_judgement(self, with_baseline: bool, base_seeds: int, seeds: int, varied: bool) -> None:
        if with_baseline and varied and seeds == 1 and self.directive.seeds is None and not self.directive.seed_list:
            self.reasons.append(
                f"The baseline runs on {counted(base_seeds, 'seed')}, each variation on one: a first look. "
                "What looks better is judged with more seeds in the next wave; say «2 seeds» to have them now."
            )
        elif with_baseline and base_seeds == 1:
            self.reasons.append("One seed does not tell the noise, so this wave alone cannot tell better from luck.")

    def _once(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)


def _ever_smaller(each: int, base: int, number: int, needed: int) -> Iterator[tuple[int, int, int]]:
    """A wave's seeds of each variation, seeds of its baseline and number of variations, as they shrink: what is missed
    least is given up first. ``needed`` seeds of the baseline are worth more than any variation."""
    yield from ((seeds, base, number) for seeds in range(each, 0, -1))
    yield from ((1, base, fewer) for fewer in range(number - 1, 0, -1))
    yield from ((1, seeds, min(number, 1)) for seeds in range(base - 1, needed - 1, -1))
    yield from ((1, seeds, 0) for seeds in range(min(base, needed), -1, -1))


def _unconfirmed(ranking: Ranking) -> bool:
    """Whether the best is a win that was measured in one go alone."""
    return ranking.best is not ranking.reference and not ranking.best.tried.repeated


def _expected(first: Tried, tried: Tried, evidence: Evidence, topic: Topic) -> Literal["down", "up", "same"]:
    """Which way a configuration lies from another in the records, where that is more than seeds explain."""
    protocol, noise = evidence.protocol(topic.metric), evidence.noise(topic.metric)
    found = difference(tried.values(topic.metric, protocol), first.values(topic.metric, protocol), noise)
    if found is None or not found.real or tried.size != first.size:
        return "same"
    return "down" if found.value < 0 else "up"


def _parent(evidence: Evidence, ranking: Ranking | None) -> int | None:
    if ranking is not None:
        return ranking.best.tried.experiments[-1].plan.id
    return evidence.waves[-1] if evidence.waves else None


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
