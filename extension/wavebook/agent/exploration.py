"""A wave that looks for something better: a base, variations of it, and how many seeds each gets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from wavebook.agent.branches import closed_branches, closing
from wavebook.agent.evidence import Evidence, Ranking, Standing, fresh_seeds, rank, read_evidence
from wavebook.agent.manners import BASELINE_SEEDS
from wavebook.agent.telling import told_records
from wavebook.agent.variations import Setting, Variation, repeated, variations
from wavebook.agent.wave_frame import WaveFrame
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.devices import list_devices, select_devices
from wavebook_tools.metrics.quantities import counted
from wavebook_tools.records.code import marks
from wavebook_tools.records.plan import ExperimentSpec, Prediction, WavePlan
from wavebook_tools.tasks import TaskSchema

EXPERIMENTS = 3
"""Of a wave, where nothing else is asked: the baseline and two variations."""

MOST_EXPERIMENTS = 16

ENOUGH_DEGREES = 4
"""Degrees of freedom from which the noise is known well enough for one new seed of the base, as in the verdicts."""

FEWEST_WITH_REPEAT = 3
"""A wave of so many experiments has room for a repeat beside its base and something new."""


class Exploration:
    """Plans such a wave in its frame."""

    def __init__(self, frame: WaveFrame) -> None:
        self.frame = frame
        self.directive = frame.directive
        self.reasons = frame.reasons

    def plan(self, schema: TaskSchema) -> WavePlan:
        """The wave on a task.

        Raises:
            UsageError: Nothing is left to vary, or no device to run on.
        """
        directive = self.directive
        topic = self.frame.topic(schema)
        evidence = read_evidence(self.frame.project, schema.task)
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
                self.frame.once(f"{wish.parameter} stays: there is no room for it here, or I know no untried value.")
        seeds, base_seeds, chosen = self._seeds(chosen, with_baseline, ranking, repeats=bool(again))
        specs: list[ExperimentSpec] = []
        if with_baseline:
            specs.append(self._baseline(ranking, evidence, setting, base_seeds))
        if again is not None:
            specs.append(repeated(again, setting, self.frame.numbers.experiment_id(len(specs))))
        specs += [self._spec(len(specs) + index, variation, seeds) for index, variation in enumerate(chosen)]
        self._tell_judgement(with_baseline, base_seeds, seeds, bool(chosen))
        parent = _parent(evidence, ranking)
        return self.frame.plan(schema, topic, specs, overrides=base, code=code, parent=parent, evidence=evidence)

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
        for branch, why in closed_branches(self.frame.project).items():
            names = closing(branch, schema.parameters)
            if branch == schema.task:
                self.reasons.append(f"{branch} was given up ({why}); this wave tries it because you ask for it.")
            elif names:
                self.reasons.append(f"The branch {branch} is closed ({why}), so I leave it alone.")
            covered += names
        return covered

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
        return min(wanted, MOST_EXPERIMENTS, max(1, self.frame.max_runs()))

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
        budget, wanted = self.frame.max_runs() - repeats, len(chosen)
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
            self.reasons.append(f"I made the wave smaller to keep to {counted(self.frame.max_runs(), 'run')}.{left}")
        return each, base, chosen

    def _fast(self) -> bool:
        """Whether the runs go to GPUs, where a second seed for everything costs minutes."""
        try:
            devices = select_devices(self.frame.devices(), list_devices())
        except WavebookError:
            return False
        return any(device.kind == "gpu" for device in devices)

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
            id=self.frame.numbers.experiment_id(),
            slug=slug,
            hypothesis=hypothesis,
            seeds=seeds,
            baseline=True,
            prediction=prediction,
            evidence=[name for tried in known for name in tried.names],
        )

    def _spec(self, offset: int, variation: Variation, seeds: int) -> ExperimentSpec:
        return ExperimentSpec(
            id=self.frame.numbers.experiment_id(offset),
            slug=variation.slug,
            hypothesis=variation.hypothesis,
            overrides=variation.overrides,
            seeds=self.directive.seed_list or list(range(seeds)),
            prediction=variation.prediction,
            evidence=variation.evidence,
        )

    def _tell_judgement(self, with_baseline: bool, base_seeds: int, seeds: int, varied: bool) -> None:
        if with_baseline and varied and seeds == 1 and self.directive.seeds is None and not self.directive.seed_list:
            self.reasons.append(
                f"The baseline runs on {counted(base_seeds, 'seed')}, each variation on one: a first look. "
                "What looks better is judged with more seeds in the next wave; say «2 seeds» to have them now."
            )
        elif with_baseline and base_seeds == 1:
            self.reasons.append("One seed does not tell the noise, so this wave alone cannot tell better from luck.")


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


def _parent(evidence: Evidence, ranking: Ranking | None) -> int | None:
    if ranking is not None:
        return ranking.best.tried.experiments[-1].plan.id
    return evidence.waves[-1] if evidence.waves else None
