"""``isolate_failure`` and ``reduce_environments``: a wave that tells why a run went wrong."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from wavebook.agent.diagnosis.case import Case, Family, Variant
from wavebook.agent.diagnosis.physics import horizon
from wavebook.agent.diagnosis.plan import plan_for
from wavebook.agent.manners import check_manners
from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.errors import UsageError


class IsolateFailure(Arguments):
    run: str = Field(max_length=60, description="A run that failed, hung or has a finding, as exp001/s0")


class ReduceEnvironments(IsolateFailure):
    num_envs: int = Field(ge=1, description="Fewer than the run had")


def _isolate(workspace: Workspace, arguments: IsolateFailure) -> str:
    return _propose(workspace, arguments, None)


def _reduce(workspace: Workspace, arguments: ReduceEnvironments) -> str:
    spec = workspace.project.run(arguments.run).spec()
    if arguments.num_envs >= spec.num_envs:
        raise UsageError(f"{arguments.run} had {spec.num_envs} environments; choose fewer than that")

    def fewer(case: Case) -> Family:
        said = f"With {arguments.num_envs} robots instead of {spec.num_envs} the runs finish: the failure is of size."
        variant = Variant("fewer-robots", said, num_envs=arguments.num_envs)
        return Family("Is the failure one of size?", [variant], horizon=horizon(case))

    return _propose(workspace, arguments, fewer)


def _propose(workspace: Workspace, arguments: IsolateFailure, choose: Callable[[Case], Family] | None) -> str:
    numbers = workspace.approvals.next_numbers()
    found = plan_for(workspace.project, arguments.run, numbers, workspace.tasks, workspace.actor, choose=choose)
    told = [f"{found.kind} in {found.run}. {found.question}"]
    told += [f"{step.tool} helps as well, with {step.arguments}: {step.why}" for step in found.steps]
    told += [f"not tested: {name}" for name in found.left_out]
    if found.plan is not None:
        check_manners(workspace.project, found.plan)
        if workspace.propose is not None:
            told.append(workspace.propose(found.plan))
        else:
            approval = workspace.approvals.propose(found.plan)
            told.append(f"wave {found.plan.id} waits for a person's approval as approval {approval.id}")
    return "\n".join(told)


ISOLATE = Tool(
    "isolate_failure",
    "Propose a wave that isolates why a run went wrong: the failed configuration as a control, and experiments that "
    "each take one suspect away (halves of the terrain, robots, solver limits, overrides). It waits for the person.",
    IsolateFailure,
    _isolate,
    access=Access.PROPOSE,
)
REDUCE = Tool(
    "reduce_environments",
    "Propose a wave that runs a failed configuration with fewer environments beside the configuration as it failed.",
    ReduceEnvironments,
    _reduce,
    access=Access.PROPOSE,
)
