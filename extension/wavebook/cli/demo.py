"""``wavebook demo``: a small real wave on this machine, from directive to comparison."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
from rich.markup import escape

from wavebook.agent.approvals import Approvals
from wavebook.agent.offline import OfflinePlanner
from wavebook.cli.control import start_wave
from wavebook.cli.output import console, json_option, plan_table, print_json
from wavebook.cli.progress import follow
from wavebook.cli.simulator import require_simulator
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project

DIRECTIVE = "Make DHAV1 track its commanded velocity better, with 2 experiments"

SETTINGS = """\
# Settings of the demo: policies small enough to train on two CPU cores in a minute or two. See docs/settings.md.

[training]
task = "Wavebook-Velocity-Quick-DHAV1"
num_envs = 256
iterations = 120

[evaluation]
num_envs = 32
seconds = 6.0
"""


@click.command()
@click.option(
    "--project",
    "project_path",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where the demo project lies or is made.",
)
@click.option("--directive", default=DIRECTIVE, show_default=True)
@json_option
def demo(project_path: Path, directive: str, as_json: bool) -> None:
    """Plan and run a small real wave on this machine; ends with what to open."""
    from wavebook_tools.comparison import verdicts  # slow to import; other commands need none of it

    require_simulator("`wavebook demo`")
    started = time.monotonic()
    project = Project.create(project_path, SETTINGS)
    proposal = Approvals(project).propose(OfflinePlanner(project).propose(directive))
    plan = proposal.plan
    if not as_json:
        console.print(f"[bold]Directive[/]: {escape(directive)}", soft_wrap=True)
        console.print(f"[bold]Wave {plan.id}[/]: {escape(plan.goal)}", soft_wrap=True)
        console.print(plan_table(plan.model_dump(mode="json")))
        console.print(f"{plan.run_count} runs, {plan.num_envs} robots, {plan.iterations} iterations each\n")
    start_wave(project, plan.id)
    ok = follow(project, plan.id, quiet=as_json)
    record = project.wave(plan.id)
    found = verdicts(project, plan.id)
    if as_json:
        print_json(
            {
                "status": project_status(project, wave=plan.id),
                "verdicts": {name: verdict.model_dump(mode="json") for name, verdict in found.items()},
                "comparison": str(record.comparison_path),
                "report": str(record.report_path),
                "seconds": round(time.monotonic() - started, 1),
            }
        )
        sys.exit(0 if ok else 1)
    console.print()
    for name, verdict in found.items():
        console.print(f"{name}  {verdict.verdict}: {verdict.text}", soft_wrap=True, markup=False)
    console.print(f"Done in {time.monotonic() - started:.0f} s. The report: {record.report_path}")
    console.print(f"Open {record.comparison_path}", soft_wrap=True)
    sys.exit(0 if ok else 1)
