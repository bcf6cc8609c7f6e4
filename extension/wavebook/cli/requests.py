"""``wavebook requests``, ``allow``, ``deny``: calls of tools that an agent asked for and that wait for a person."""

from __future__ import annotations

from pathlib import Path

import click

from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.requests import Request, Requests
from wavebook.cli.output import console, find_project, json_option, print_json, project_option
from wavebook.cli.plan import user_name
from wavebook_tools.errors import WavebookError


@click.command()
@click.option("--all", "everything", is_flag=True, help="Decided ones too.")
@project_option
@json_option
def requests(everything: bool, project_path: Path | None, as_json: bool) -> None:
    """List what agents ask to do and wait for: ending runs, repeating them, searching terrains."""
    found = [r for r in Requests(find_project(project_path)).list() if everything or r.state == "pending"]
    if as_json:
        print_json({"requests": [request.model_dump(mode="json") for request in found]})
    elif not found:
        console.print("No agent waits for a decision.")
    for request in [] if as_json else found:
        console.print(_line(request), markup=False, soft_wrap=True)


@click.command()
@click.argument("number", type=int)
@click.option("--why", default="", help="The reason, for the ledger.")
@project_option
@json_option
def allow(number: int, why: str, project_path: Path | None, as_json: bool) -> None:
    """Allow request NUMBER, and do what it asks for."""
    project = find_project(project_path)
    store = Requests(project)
    store.decide(number, approve=True, by=user_name(), why=why)
    done = store.execute(number, TOOLS)
    if as_json:
        print_json(done.model_dump(mode="json"))
    if done.state == "failed":
        raise WavebookError(f"request {number} failed: {done.result}")
    if not as_json:
        console.print(done.result or "", markup=False, soft_wrap=True)


@click.command()
@click.argument("number", type=int)
@click.option("--why", default="", help="The reason, for the ledger.")
@project_option
@json_option
def deny(number: int, why: str, project_path: Path | None, as_json: bool) -> None:
    """Deny request NUMBER. Nothing of it is done."""
    denied = Requests(find_project(project_path)).decide(number, approve=False, by=user_name(), why=why)
    if as_json:
        print_json(denied.model_dump(mode="json"))
    else:
        console.print(_line(denied), markup=False, soft_wrap=True)


def _line(request: Request) -> str:
    read = f"; it had read {', '.join(request.foreign)}" if request.foreign else ""
    return f"{request.id}  {request.state}  {request.actor} asks for {request.tool} {request.arguments}{read}"
