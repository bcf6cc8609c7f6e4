"""``wavebook plan``: propose a wave."""

from __future__ import annotations

import asyncio
import getpass
import json
from pathlib import Path

import click
from pydantic import ValidationError
from rich.markup import escape
from rich.syntax import Syntax

from wavebook.agent.approvals import Approvals
from wavebook.agent.choice import choose_planner
from wavebook.agent.conversation import checked
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.planner import Planner, Proposal, Request, TextDelta, ToolCall
from wavebook.cli.output import console, json_option, plan_table, print_json, project_option
from wavebook_tools.errors import NotFoundError, UsageError
from wavebook_tools.records.files import first_problem
from wavebook_tools.records.plan import Budget, WavePlan
from wavebook_tools.records.project import Project

SHOWN = 200
"""Characters of a tool's arguments that are printed."""


@click.command()
@click.argument("directive", required=False)
@click.option(
    "--from", "source", type=click.Path(path_type=Path, dir_okay=False), help="Take a WavePlan written by hand (JSON)."
)
@click.option("--experiments", type=click.IntRange(1, 16), help="How many experiments to propose.")
@click.option("--seeds", type=click.IntRange(1, 16), help="How many seeds each gets.")
@project_option
@json_option
def plan(
    directive: str | None,
    source: Path | None,
    experiments: int | None,
    seeds: int | None,
    project_path: Path | None,
    as_json: bool,
) -> None:
    """Propose a wave for DIRECTIVE, and note it for approval. `wavebook run` starts it."""
    if (directive is None) == (source is None):
        raise click.UsageError(
            'say what you want in quotes, as in wavebook plan "track velocity better", or --from FILE'
        )
    project = open_or_create(project_path)
    if source is not None:
        proposed = read_plan(source, project.settings().budget)
    else:
        assert directive is not None
        proposed = ask(project, checked(directive), experiments=experiments, seeds=seeds)
    approval = Approvals(project).propose(proposed)
    if as_json:
        print_json(approval.plan.model_dump(mode="json"))
        return
    console.print(f"[bold]Wave {approval.plan.id}[/]: {escape(approval.plan.goal)}", soft_wrap=True)
    if approval.plan.rationale:
        console.print(approval.plan.rationale, soft_wrap=True, markup=False)
    console.print(plan_table(approval.plan.model_dump(mode="json")))
    for code in approval.code:
        console.print(f"\n[bold]{escape(code.experiment or 'All experiments')}[/] brings code:")
        # Wrapped by the terminal and cut by nobody: what runs is what was read.
        diff = Syntax("", "diff", theme="ansi_light", background_color="default").highlight(code.diff)
        console.print(diff, soft_wrap=True)
    if approval.problem:
        console.print(f"\nIt cannot be started here yet: {approval.problem}", soft_wrap=True, markup=False)
    console.print(f"\nApprove and start it: wavebook run {approval.plan.id}")


def ask(project: Project, directive: str, *, experiments: int | None, seeds: int | None) -> WavePlan:
    """The wave that the planner of the settings proposes. What a model says meanwhile goes to standard error.

    Raises:
        UsageError: The directive cannot be planned, or the model proposed nothing.
    """
    planner = choose_planner(project, project.settings().planner)
    if isinstance(planner, OfflinePlanner):
        return planner.propose(directive, experiments=experiments, seeds=seeds)
    size = [f"{number} {what}" for number, what in ((experiments, "experiments"), (seeds, "seeds each")) if number]
    plan = asyncio.run(_answered(planner, " ".join([directive, f"({', '.join(size)})" if size else ""]).strip()))
    if plan is None:
        raise UsageError(
            f"{planner.label} proposed no wave; say more exactly what to find out, or answer in the sidebar"
        )
    return plan


async def _answered(planner: Planner, directive: str) -> WavePlan | None:
    plan = None
    async for part in planner.answer(Request(directive)):
        if isinstance(part, TextDelta):
            click.echo(part.text, nl=False, err=True)
        elif isinstance(part, ToolCall):
            click.echo(f"\n({part.name} {json.dumps(part.arguments)[:SHOWN]})", err=True)
        elif isinstance(part, Proposal):
            plan = part.plan
    click.echo(err=True)
    return plan


def open_or_create(path: Path | None) -> Project:
    """The project around the working directory; a new one in the named folder, or here, where there is none."""
    if path is None:
        try:
            return Project.find(Path.cwd())
        except NotFoundError:
            path = Path.cwd()
    return Project.create(path)


def read_plan(path: Path, budget: Budget) -> WavePlan:
    """Read a WavePlan written by hand.

    Args:
        path: The file.
        budget: The project's; a plan that names no number of runs of its own keeps to it.

    Raises:
        UsageError: The file is missing, no JSON, or no plan; the message names the field.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, dict) and isinstance(own := document.setdefault("budget", {}), dict):
            own.setdefault("max_runs", budget.max_runs)
        return WavePlan.model_validate(document)
    except OSError as error:
        raise UsageError(f"cannot read the plan {path}: {error.strerror}") from error
    except ValidationError as error:
        raise UsageError(f"{path} is no wave plan: {first_problem(error)}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error


def user_name() -> str:
    """Who calls, for the ledger."""
    return getpass.getuser()
