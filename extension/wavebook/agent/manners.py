"""Research manners that a plan of an agent must keep, whoever the agent is."""

from __future__ import annotations

from wavebook.agent.branches import closed_branches, closing
from wavebook.agent.evidence import read_evidence
from wavebook_tools.comparison.data import JUDGED
from wavebook_tools.errors import UsageError
from wavebook_tools.records.code import marks
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunResult

BASELINE_SEEDS = 2
"""The fewest seeds that tell the noise."""

PREDICTABLE = frozenset({JUDGED, "error_vel_yaw", "time_out", "terrain_level"} & set(RunResult.model_fields))
"""Numbers of the fixed evaluation that a prediction may name. A reward is none: each experiment defines its own."""


def check_manners(project: Project, plan: WavePlan) -> None:
    """Refuse a plan from which nothing could be learnt.

    Raises:
        UsageError: A line for each broken rule: no baseline to judge against, a first wave that does not measure the
            noise, an experiment without a prediction, a prediction of a reward, a closed branch.
    """
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
    shared = [*plan.overrides, *marks(plan.code), plan.task]
    for branch, why in closed_branches(project).items():
        touched = [e.id for e in plan.experiments if closing(branch, [*shared, *e.changes])]
        if touched:
            problems.append(
                f"{', '.join(touched)}: the branch {branch!r} is closed ({why}); open it again with reasons"
            )
    if problems:
        raise UsageError("\n".join(problems))
