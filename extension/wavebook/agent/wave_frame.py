"""What every wave has, whatever it tries: the number that decides, devices, budget, size and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wavebook.agent.directive import Directive
from wavebook.agent.estimate import estimate
from wavebook.agent.evidence import Evidence
from wavebook.agent.topics import BY_KEY, UNMEASURED, Topic
from wavebook.agent.variations import on_task
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.devices import list_devices, select_devices
from wavebook_tools.metrics.quantities import quantity
from wavebook_tools.records.code import CodeOverride
from wavebook_tools.records.numbering import Numbers
from wavebook_tools.records.plan import Budget, ExperimentSpec, Overrides, WavePlan, slugify
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema

FEWEST_ITERATIONS = 10


class WaveFrame:
    """A wave around its experiments, and the reasons for it, which grow as it is planned."""

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

    def topic(self, schema: TaskSchema) -> Topic:
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

    def max_runs(self) -> int:
        """As many runs as the directive asks for and the project's budget allows."""
        allowed = self.settings.budget.max_runs
        asked = self.directive.runs
        if asked is not None and asked > allowed:
            self.once(
                f"The project's budget allows {allowed} runs a wave, not {asked} (wavebook.toml, budget.max_runs)."
            )
        return min(asked, allowed) if asked is not None else allowed

    def devices(self) -> list[str]:
        """Where the wave is to run, without the GPUs that the directive wants left alone.

        Raises:
            UsageError: No device is left.
        """
        chosen, spared = self.directive.devices or self.settings.devices.use, self.directive.spared or []
        if not spared:
            return chosen
        if self.settings.engine.name != "local":
            self.once(f"A cluster chooses its GPUs itself, so GPU {', '.join(spared)} may be taken there.")
            return chosen
        allowed = [device.label for device in select_devices(chosen, list_devices())]
        left = [label for label in allowed if label.partition(":")[0] not in spared]  # 0:1 is a part of GPU 0
        if not left:
            listed = ", ".join(spared)
            raise UsageError(f"no device is left without GPU {listed}: the wave may take {', '.join(allowed)}")
        return chosen if left == allowed else left

    def plan(
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
        """The plan around ``specs``; without a ``size`` (robots, iterations) that of the waves before it."""
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
            devices=self.devices(),
            share=self.settings.devices.share,
            budget=Budget(max_runs=self.max_runs(), gpu_hours=directive.gpu_hours or self.settings.budget.gpu_hours),
            evaluation=self.settings.evaluation,
            planner=self.planner,
            rationale="",
        )

    def within_time(self, plan: WavePlan) -> WavePlan:
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

    def once(self, reason: str) -> None:
        """Give a reason that may come up again."""
        if reason not in self.reasons:
            self.reasons.append(reason)
