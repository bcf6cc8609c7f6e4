"""The wave that isolates why a run failed: the failed configuration again as the control, and one suspect less in each
other experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wavebook.agent.diagnosis.case import FINISHED, UNKNOWN, Case, Family, Step, Variant, read_case
from wavebook.agent.diagnosis.learning import learning
from wavebook.agent.diagnosis.memory import memory
from wavebook.agent.diagnosis.physics import physics
from wavebook.agent.diagnosis.start import start
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.numbering import Numbers
from wavebook_tools.records.plan import Budget, ExperimentSpec, Prediction, WavePlan, slugify
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema, check_plan

FAMILIES: dict[str, Callable[[Case], Family]] = {
    "hang": physics,
    "constraint overflow": physics,
    "not a number": physics,
    "out of memory": memory,
    "kernel died": memory,
    "crash at start": start,
    "dead policy": learning,
    "terrain collapse": learning,
    "reward inflation": learning,
}
"""What isolates each finding of the watchdog."""

MOST_EXPERIMENTS = 6


@dataclass(frozen=True)
class Isolation:
    """How the cause of a finding is to be isolated."""

    run: str
    kind: str
    question: str
    plan: WavePlan | None
    """None where no experiment can tell, as for a library that is missing."""
    steps: list[Step] = field(default_factory=list)
    """Tools that help, none of which starts by itself."""
    left_out: list[str] = field(default_factory=list)
    """Suspicions that the budget or the task does not let be tested."""


def family_of(case: Case) -> Family:
    """The family of a case; a learner that diverged while no robot broke is no matter of physics."""
    if case.kind == "not a number" and not case.evidence.get("broken"):
        return learning(case)
    if case.kind == UNKNOWN:
        return start(case) if case.last_iteration is None else physics(case)
    return FAMILIES[case.kind](case)


def plan_for(
    project: Project,
    run_id: str,
    numbers: Numbers,
    tasks: Mapping[str, TaskSchema],
    planner: str,
    *,
    directive: str = "",
    choose: Callable[[Case], Family] | None = None,
) -> Isolation:
    """Plan how to isolate why a run went wrong. Nothing is written or started.

    Args:
        project: The project.
        run_id: The run, as ``exp003/s0``.
        numbers: The first free numbers.
        tasks: The tasks there are.
        planner: Who plans.
        directive: What the person asked for.
        choose: What is suspected, where that is known; the finding's family where absent.

    Raises:
        NotFoundError: There is no such run, or its task is not installed here.
        UsageError: Nothing is wrong with it.
    """
    case = read_case(project, run_id, tasks)
    family = (choose or family_of)(case)
    settings = project.settings()
    most = min(MOST_EXPERIMENTS, settings.budget.max_runs)
    left_out = [variant.slug for variant in family.variants[most - 1 :]]
    variants = family.variants[: most - 1]
    plan = None
    if variants:
        goal = f"Isolate the {case.kind} of {run_id}" if case.kind != UNKNOWN else f"Isolate why {run_id} failed"
        specs = [_control(case, numbers)]
        for variant in variants:
            spec = _spec(case, variant, numbers.experiment_id(len(specs)))
            if problem := _refused(case, spec, tasks):
                left_out.append(f"{variant.slug} ({problem})")
            else:
                specs.append(spec)
        plan = WavePlan(
            id=numbers.wave,
            slug=slugify(goal),
            goal=goal,
            directive=directive,
            parent=case.spec.wave,
            task=case.spec.task,
            num_envs=case.spec.num_envs,
            iterations=family.horizon or case.spec.iterations,
            experiments=specs,
            devices=case.spec.devices,
            gpus=case.spec.gpus,
            share=case.spec.share,
            budget=Budget(
                max_runs=settings.budget.max_runs,
                gpu_hours=settings.budget.gpu_hours,
                run_hours=settings.budget.run_hours,
            ),
            evaluation=case.spec.evaluation,
            purpose="diagnosis",
            planner=planner,
            rationale=f"{family.question} {specs[0].id} repeats {run_id} as the control; each other experiment takes "
            "one suspect away. What finishes where the control fails names the cause.",
        )
        check_plan(plan, tasks)
    return Isolation(run_id, case.kind, family.question, plan, family.steps, left_out)


def _control(case: Case, numbers: Numbers) -> ExperimentSpec:
    return ExperimentSpec(
        id=numbers.experiment_id(),
        slug="control",
        hypothesis=f"{case.spec.id} again fails as it did: the failure is no accident of one run.",
        overrides=case.spec.overrides,
        code=case.spec.code,
        seeds=[case.spec.seed],
        baseline=True,
        prediction=Prediction(metric=FINISHED, direction="same"),
        evidence=[case.spec.id],
    )


def _spec(case: Case, variant: Variant, experiment_id: str) -> ExperimentSpec:
    kept = {name: value for name, value in case.spec.overrides.items() if name not in variant.dropped}
    return ExperimentSpec(
        id=experiment_id,
        slug=variant.slug,
        hypothesis=variant.hypothesis,
        overrides={**kept, **variant.overrides},
        code=[] if variant.without_code else case.spec.code,
        seeds=[case.spec.seed],
        num_envs=variant.num_envs,
        iterations=variant.iterations,
        devices=list(variant.devices) if variant.devices else None,
        gpus=1 if variant.devices or (variant.num_envs is not None and variant.num_envs < case.spec.gpus) else None,
        prediction=variant.prediction,
        evidence=[case.spec.id],
    )


def _refused(case: Case, spec: ExperimentSpec, tasks: Mapping[str, TaskSchema]) -> str:
    """Why an experiment could not run; empty where it can."""
    plan = case.plan.model_copy(update={"experiments": [spec], "overrides": {}, "code": []})
    try:
        check_plan(plan, tasks)
    except WavebookError as error:
        return str(error).splitlines()[0][:200]
    return ""
