"""What is compared: the experiments of one or several waves with their runs, read from the records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.metrics.history import MetricHistory, read_metrics
from wavebook_tools.records.code import CodeOverride, marks
from wavebook_tools.records.plan import ExperimentSpec, Overrides, WavePlan
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunId, RunResult, RunState

JUDGED = "error_vel_xy"
"""The one metric that ranks: the fixed evaluation's velocity error. Never the reward, which each experiment defines."""


@dataclass(frozen=True)
class Run:
    """One seed of an experiment: its last repeat that has a result, else its last."""

    id: str
    seed: int
    state: RunState
    message: str = ""
    """Why it ended, where it did not end well."""
    results: tuple[RunResult, ...] = ()
    """What the evaluation measured in each finished repeat of this seed, oldest first."""
    record: RunRecord | None = None
    """None for a run that stands in the plan and has not begun."""

    @cached_property
    def history(self) -> MetricHistory:
        """Its training curves."""
        return read_metrics(self.record.events_path) if self.record else MetricHistory()

    @property
    def protocol(self) -> str | None:
        """Hash of the evaluation protocol that made the newest result."""
        return self.results[-1].protocol.hash if self.results else None

    def measured(self, metric: str, protocol: str | None = None) -> float | None:
        """A number of the fixed evaluation, the mean over repeats: the same seed again is no new evidence.

        Args:
            metric: A key of result.json.
            protocol: Count only results of the evaluation with this hash.
        """
        numbers = [
            float(value)
            for result in self.results
            if protocol is None or result.protocol.hash == protocol
            if isinstance(value := getattr(result, metric, None), int | float) and math.isfinite(value)
        ]
        return sum(numbers) / len(numbers) if numbers else None


@dataclass(frozen=True)
class Experiment:
    """One experiment with its runs."""

    plan: WavePlan
    spec: ExperimentSpec
    runs: tuple[Run, ...]

    @property
    def id(self) -> str:
        return self.spec.id

    @property
    def label(self) -> str:
        """Id and short name."""
        return f"{self.spec.id} {self.spec.slug}"

    @property
    def overrides(self) -> Overrides:
        """The wave's base overrides and the experiment's, merged."""
        return {**self.plan.overrides, **self.spec.overrides}

    @property
    def code(self) -> list[CodeOverride]:
        """The terms in source that its runs use, the wave's and its own."""
        return self.plan.code_of(self.spec)

    @property
    def changes(self) -> Overrides:
        """All that tells it from the task as it is: overrides, and code as ``code.reward.NAME``."""
        return {**self.overrides, **marks(self.code)}

    @property
    def size(self) -> tuple[str, int, int]:
        """Task, environments, iterations: seeds scatter alike only where these agree."""
        return self.plan.task, self.spec.num_envs or self.plan.num_envs, self.spec.iterations or self.plan.iterations

    @property
    def unfinished(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if not run.state.final)

    @property
    def broken(self) -> tuple[Run, ...]:
        """Runs that ended without a result, cancelled ones left out."""
        return tuple(run for run in self.runs if run.state in (RunState.FAILED, RunState.HUNG))

    @property
    def protocol(self) -> str | None:
        """Hash of the newest evaluation protocol among the results."""
        return next((run.protocol for run in reversed(self.runs) if run.protocol), None)

    def measured(self, metric: str = JUDGED, protocol: str | None = None) -> list[float]:
        """A metric of the fixed evaluation, one number a seed that finished."""
        numbers = (run.measured(metric, protocol) for run in self.runs)
        return [number for number in numbers if number is not None]


@dataclass(frozen=True)
class Comparison:
    """Experiments side by side."""

    project: Project
    plans: tuple[WavePlan, ...]
    experiments: tuple[Experiment, ...]
    problems: tuple[str, ...] = field(default=())
    """Records that could not be read, for human eyes."""

    def of_wave(self, wave_id: int) -> tuple[Experiment, ...]:
        """The experiments of one wave."""
        return tuple(experiment for experiment in self.experiments if experiment.plan.id == wave_id)


def collect(project: Project, wave_ids: Iterable[int], *, experiments: Sequence[str] | None = None) -> Comparison:
    """Read what the waves left on disk. Curves are read when they are first asked for.

    Args:
        project: The project.
        wave_ids: Numbers of the waves, compared in this order.
        experiments: Only these experiments, where given.

    Raises:
        NotFoundError: A wave is not there.
        UsageError: No wave is named.
        WavebookError: A wave.json is damaged. A damaged record of a run is told among the problems instead.
    """
    ids = list(dict.fromkeys(wave_ids))
    if not ids:
        raise UsageError("name at least one wave to compare")
    plans: list[WavePlan] = []
    found: list[Experiment] = []
    problems: list[str] = []
    for wave_id in ids:
        wave = project.wave(wave_id)
        plan = wave.plan()
        plans.append(plan)
        records: dict[tuple[str, int], list[RunRecord]] = {}
        for record in wave.runs():
            run_id = record.id
            records.setdefault((run_id.experiment, run_id.seed), []).append(record)
        for spec in plan.experiments:
            if experiments is not None and spec.id not in experiments:
                continue
            # Seeds that were added after the plan count too; seeds that have not begun are queued.
            seeds = dict.fromkeys([*spec.seeds, *(seed for experiment, seed in records if experiment == spec.id)])
            runs = [_run(spec.id, seed, records.get((spec.id, seed), []), problems) for seed in seeds]
            found.append(Experiment(plan, spec, tuple(runs)))
    return Comparison(project, tuple(plans), tuple(found), tuple(problems))


def _run(experiment: str, seed: int, records: list[RunRecord], problems: list[str]) -> Run:
    if not records:
        return Run(RunId.of(experiment, seed), seed, RunState.QUEUED)
    attempts = [_attempt(record, problems) for record in records]
    finished = [attempt for attempt in attempts if attempt.state is RunState.DONE and attempt.results]
    shown = finished[-1] if finished else attempts[-1]
    results = tuple(result for attempt in finished for result in attempt.results)
    return Run(shown.id, seed, shown.state, shown.message, results, shown.record)


def _attempt(record: RunRecord, problems: list[str]) -> Run:
    run_id = record.id
    event = last_state(record)
    try:
        state = RunState(event.get("state", RunState.QUEUED))
    except ValueError:
        state = RunState.QUEUED
    message = str(event.get("message") or "")
    result = None
    try:
        result = record.result()
        if result is not None and not math.isfinite(result.error_vel_xy):
            state, message, result = RunState.FAILED, "the evaluation measured no finite velocity error", None
    except WavebookError as error:
        problems.append(str(error))
        state, message = RunState.FAILED, "its result.json is damaged"
    if result is not None and not state.final:
        state = RunState.DONE  # the runner was killed between the result and its last line
    elif state is RunState.DONE and result is None:
        state, message = RunState.FAILED, message or "it ended without a result"
    return Run(str(run_id), run_id.seed, state, message, (result,) if result else (), record)


def last_state(record: RunRecord) -> dict[str, Any]:
    """The newest state event of a run; empty where there is none."""
    return next(record.events_backwards("state"), {})
