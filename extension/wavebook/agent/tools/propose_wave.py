"""``propose_wave``: put a wave of experiments before the person."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from wavebook.agent.collapse import close_collapsed
from wavebook.agent.manners import check_manners
from wavebook.agent.submission import check_placed
from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.code.unseen import unseen
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.code import MOST, CodeOverride
from wavebook_tools.records.files import first_problem
from wavebook_tools.records.numbering import Numbers
from wavebook_tools.records.plan import (
    MOST_SEEDS,
    Budget,
    ExperimentSpec,
    Overrides,
    Prediction,
    Seed,
    WavePlan,
    slugify,
)
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import check_plan


class ProposedExperiment(Arguments):
    slug: str = Field(max_length=48, description="A short name in lower case, as tracking-weight-6")
    hypothesis: str = Field(min_length=10, max_length=2000, description="One falsifiable sentence")
    overrides: Overrides = Field(
        default_factory=dict, description="Dotted parameter names and values, on top of the wave's; none for a baseline"
    )
    seeds: list[Seed] = Field(default=[0], min_length=1, max_length=MOST_SEEDS)
    baseline: bool = Field(default=False, description="The one that the others are judged against")
    prediction: Prediction | None = Field(default=None, description="Every experiment but the baseline needs one")
    num_envs: int | None = Field(default=None, ge=1)
    iterations: int | None = Field(default=None, ge=1)
    code: list[CodeOverride] = Field(
        default=[], max_length=MOST, description="Reward terms in source; tried on two environments before a run starts"
    )
    evidence: list[str] = Field(default=[], max_length=50, description="Records this rests on, as exp001 or exp001/s0")


class ProposeWave(Arguments):
    goal: str = Field(min_length=5, max_length=2000)
    experiments: list[ProposedExperiment] = Field(min_length=1, max_length=16)
    rationale: str = Field(default="", max_length=6000, description="Why this wave, with the records it rests on")
    directive: str = Field(default="", max_length=2000, description="What the person asked for, in their words")
    task: str | None = Field(default=None, max_length=200, description="The project's own where absent")
    overrides: Overrides = Field(default_factory=dict, description="Shared by all experiments: the best so far")
    code: list[CodeOverride] = Field(default=[], max_length=MOST, description="Reward terms that all experiments share")
    parent: int | None = Field(default=None, ge=1, description="The wave that this one follows")
    num_envs: int | None = Field(default=None, ge=1)
    iterations: int | None = Field(default=None, ge=1)
    devices: list[str] | None = Field(default=None, min_length=1, max_length=16)
    gpu_hours: float | None = Field(default=None, ge=0.001, le=10_000)


def run(workspace: Workspace, arguments: ProposeWave) -> str:
    """Check the wave and hand it to the person."""
    plan = wave_plan(workspace, arguments)
    check_plan(plan, workspace.tasks, device_names=workspace.project.settings().engine.device_names)
    _check_words(plan)
    check_placed(workspace.project, plan)
    _check_records(workspace.project, plan)
    close_collapsed(workspace.project, workspace.actor)
    check_manners(workspace.project, plan)
    if workspace.propose is not None:
        return workspace.propose(plan)
    approval = workspace.approvals.propose(plan)
    return f"wave {plan.id} ({plan.run_count} runs) waits for a person's approval as approval {approval.id}"


def _check_words(plan: WavePlan) -> None:
    """Refuse words that the person who approves would not see as they are.

    Raises:
        UsageError: There is such a character; the message names the text and the line.
    """
    texts = {"goal": plan.goal, "rationale": plan.rationale, "directive": plan.directive}
    texts |= {f"{experiment.id}, hypothesis": experiment.hypothesis for experiment in plan.experiments}
    for name, text in texts.items():
        for problem in unseen(text):
            raise UsageError(f"{name}: {problem}")


def _check_records(project: Project, plan: WavePlan) -> None:
    """Refuse what a plan says that it rests on and that was never run.

    Raises:
        NotFoundError: There is no such wave or run.
        UsageError: There is no such experiment, or the name is none.
    """
    if plan.parent is not None:
        project.wave(plan.parent)
    named = sorted({name for experiment in plan.experiments for name in experiment.evidence})
    known = {run.id.experiment for run in project.runs()} if named else set()
    for name in named:
        if "/" in name:
            project.run(name)
        elif name not in known:
            raise UsageError(f"evidence {name[:40]!r} is no experiment that was run.{did_you_mean(name, known)}")


def wave_plan(workspace: Workspace, arguments: ProposeWave) -> WavePlan:
    """The plan with the project's numbers, sizes and limits; the evaluation is the project's, never the agent's.

    Raises:
        UsageError: It is no valid plan; the message names the field.
    """
    settings = workspace.project.settings()
    numbers = workspace.approvals.next_numbers()
    hours = [h for h in (arguments.gpu_hours, settings.budget.gpu_hours) if h is not None]
    try:
        return WavePlan(
            id=numbers.wave,
            slug=slugify(arguments.goal),
            goal=arguments.goal,
            directive=arguments.directive,
            parent=arguments.parent,
            task=arguments.task or settings.training.task,
            num_envs=arguments.num_envs or settings.training.num_envs,
            iterations=arguments.iterations or settings.training.iterations,
            overrides=arguments.overrides,
            code=arguments.code,
            experiments=[_spec(offset, one, numbers) for offset, one in enumerate(arguments.experiments)],
            devices=arguments.devices or settings.devices.use,
            share=settings.devices.share,
            budget=Budget(
                max_runs=settings.budget.max_runs,
                gpu_hours=min(hours, default=None),
                run_hours=settings.budget.run_hours,
            ),
            evaluation=settings.evaluation,
            planner=workspace.actor,
            rationale=arguments.rationale,
        )
    except ValidationError as error:
        raise UsageError(f"this is no plan: {first_problem(error)}") from error


def _spec(offset: int, proposed: ProposedExperiment, numbers: Numbers) -> ExperimentSpec:
    fields: dict[str, Any] = proposed.model_dump(exclude={"slug", "prediction"})
    return ExperimentSpec(
        id=numbers.experiment_id(offset), slug=slugify(proposed.slug), prediction=proposed.prediction, **fields
    )


TOOL = Tool(
    "propose_wave",
    "Propose a wave: experiments planned and judged together. It is checked (names, ranges, budget, research manners) "
    "and then waits for the person, who may change it. Propose at most one wave in an answer. Nothing runs before they "
    "approve.",
    ProposeWave,
    run,
    access=Access.PROPOSE,
)
