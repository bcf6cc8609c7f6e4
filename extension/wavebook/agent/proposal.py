"""From a directive and the records to a wave: its base, its experiments, their seeds, and the reasons in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wavebook.agent.branches import left_for
from wavebook.agent.collapse import close_collapsed
from wavebook.agent.directive import Directive
from wavebook.agent.exploration import Exploration
from wavebook.agent.named_experiments import NamedExperiments
from wavebook.agent.submission import check_placed
from wavebook.agent.wave_frame import WaveFrame
from wavebook_tools.records.numbering import Numbers
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema, check_plan, task_named


@dataclass
class Proposed:
    """A plan and why it is so, in sentences."""

    plan: WavePlan
    reasons: list[str] = field(default_factory=list)


def propose(
    project: Project, directive: Directive, numbers: Numbers, tasks: Mapping[str, TaskSchema], planner: str
) -> Proposed:
    """Plan one wave.

    Raises:
        UsageError: There is nothing to plan, or what is asked for cannot run.
    """
    frame = WaveFrame(project, directive, numbers, tasks, planner)
    schema = task_named(directive.task or frame.settings.training.task, tasks)
    close_collapsed(project, planner)
    if directive.task is None and (sibling := left_for(project, schema.task, tasks)) is not None:
        frame.reasons.append(f"{schema.task} was given up, so this wave goes on with {sibling.task}.")
        schema = sibling
    named = NamedExperiments(frame)
    made = {"reproduce": named.reproduction, "compare": named.comparison, "combine": named.combination}
    plan = frame.within_time(made.get(directive.intent, Exploration(frame).plan)(schema))
    check_plan(plan, tasks)
    check_placed(project, plan)
    return Proposed(plan, frame.reasons)
