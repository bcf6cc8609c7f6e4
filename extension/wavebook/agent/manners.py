"""Research manners that a plan of an agent must keep, whoever the agent is."""

from __future__ import annotations

from wavebook.agent.branches import closed_branches, closing
from wavebook.agent.diagnosis.case import FINISHED, went_wrong
from wavebook.agent.evidence import Evidence, read_evidence
from wavebook_tools.comparison.data import JUDGED
from wavebook_tools.errors import UsageError
from wavebook_tools.records.code import marks
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunResult

BASELINE_SEEDS = 2
"""The fewest seeds that tell the noise."""

LARGEST_EFFECT = 1.0
"""The most that a prediction may say in parts of the baseline: nothing goes down by more than all of it."""

PREDICTABLE = frozenset({JUDGED, "error_vel_yaw", "time_out", "terrain_level"} & set(RunResult.model_fields))
"""Numbers of the fixed evaluation that a prediction may name. A reward is none: each experiment defines its own."""


def check_manners(project: Project, plan: WavePlan) -> None:
    """Refuse a plan from which nothing could be learnt.

    Raises:
        UsageError: A line for each broken rule: no baseline to judge against, a first wave that does not measure the
            noise, an experiment without a prediction, a prediction of a reward, a closed branch.
    """
    if plan.purpose == "diagnosis":
        _check_diagnosis(project, plan)
        return
    problems: list[str] = []
    evidence = read_evidence(project, plan.task)
    baseline = next((e for e in plan.experiments if e.baseline), None)
    if baseline is None and len(plan.experiments) > 1:
        problems.append("no experiment is marked as the baseline; the others need one to be judged against")
    measured = any(len(tried.seeds) >= BASELINE_SEEDS for tried in evidence.measured(JUDGED))
    if not measured and (baseline is None or len(baseline.seeds) < BASELINE_SEEDS):
        problems.append(
            f"no experiment on {plan.task} was measured with several seeds yet, so the noise is unknown: "
            f"this wave needs a baseline with at least {BASELINE_SEEDS} seeds"
        )
    for experiment in plan.experiments:
        if experiment.prediction is None and not experiment.baseline:
            problems.append(f"{experiment.id} predicts nothing; say which number goes up, down or stays the same")
        if experiment.prediction is not None and experiment.prediction.metric not in PREDICTABLE:
            problems.append(
                f"{experiment.id} predicts {experiment.prediction.metric!r}, which the fixed evaluation does not "
                f"measure; choose from {', '.join(sorted(PREDICTABLE))}"
            )
        by = experiment.prediction.by if experiment.prediction is not None else None
        if by is not None and not by <= LARGEST_EFFECT:
            problems.append(
                f"{experiment.id} predicts a change by {by:g}; 0.1 is ten percent, {LARGEST_EFFECT:g} the most"
            )
    problems += _unconfirmed(plan, evidence)
    problems += _closed(project, plan)
    if problems:
        raise UsageError("\n".join(problems))


def _check_diagnosis(project: Project, plan: WavePlan) -> None:
    """A diagnosis repeats a run that went wrong beside smaller or shorter ones; it cannot pass for research."""
    problems: list[str] = []
    control = next((e for e in plan.experiments if e.baseline), None)
    named = [project.run(run) for run in (control.evidence if control is not None else []) if "/" in run]
    if not any(went_wrong(record) for record in named):
        problems.append("a diagnosis needs a control (its baseline) whose evidence names a run that went wrong")
    for experiment in plan.experiments:
        num_envs, iterations = experiment.num_envs or plan.num_envs, experiment.iterations or plan.iterations
        for spec in [record.spec() for record in named]:
            if num_envs > spec.num_envs or iterations > spec.iterations:
                problems.append(f"{experiment.id} is larger or longer than {spec.id}, which a diagnosis never is")
        if experiment.prediction is None:
            problems.append(f"{experiment.id} predicts nothing; say whether its runs finish")
        elif experiment.prediction.metric not in PREDICTABLE | {FINISHED}:
            choices = ", ".join([FINISHED, *sorted(PREDICTABLE)])
            problems.append(f"{experiment.id} predicts {experiment.prediction.metric!r}; choose from {choices}")
    if problems:
        raise UsageError("\n".join(problems))


def _unconfirmed(plan: WavePlan, evidence: Evidence) -> list[str]:
    """A wave may build on a win once it was repeated, or repeats it itself on a seed that it has not seen."""
    base = {**plan.overrides, **marks(plan.code)}
    found = next((tried for tried in evidence.measured(JUDGED) if tried.changes == base), None)
    if not base or found is None or found.repeated:
        return []
    again = {seed for e in plan.experiments if e.baseline and not e.changes for seed in e.seeds}
    if again - found.seeds:
        return []
    seen = ", ".join(map(str, sorted(found.seeds)))
    return [
        f"the wave builds on {found.name}, which was not repeated yet: let its baseline run on a seed other than {seen}"
    ]


def _closed(project: Project, plan: WavePlan) -> list[str]:
    problems = []
    shared = [*plan.overrides, *marks(plan.code), plan.task]
    for branch, why in closed_branches(project).items():
        touched = [e.id for e in plan.experiments if closing(branch, [*shared, *e.changes])]
        if touched:
            problems.append(
                f"{', '.join(touched)}: the branch {branch!r} is closed ({why}); open it again with reasons"
            )
    return problems
