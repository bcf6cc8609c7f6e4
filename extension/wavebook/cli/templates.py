"""``wavebook template``: the notebook templates, a copy of one in the project, and what is wrong with them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wavebook.cli.output import console, find_project, json_option, print_json, project_option
from wavebook.cli.plan import open_or_create
from wavebook_tools.errors import UsageError

if TYPE_CHECKING:
    from wavebook_tools.notebooks.templates import Template


@click.group()
def template() -> None:
    """The notebooks that runs are made from: list, copy into the project, check."""


@template.command(name="list")
@project_option
@json_option
def list_(project_path: Path | None, as_json: bool) -> None:
    """List the templates: the project's own, and Wavebook's."""
    from wavebook_tools.notebooks.templates import templates  # slow to import; other commands need none

    found = templates(find_project(project_path))
    if as_json:
        print_json({"templates": [asdict(one) for one in found]})
    for one in [] if as_json else found:
        console.print(_line(one), markup=False, soft_wrap=True)


@template.command()
@click.argument("name", default="train")
@click.option("--as", "new_name", help="What the copy is called; as NAME where absent, whose place it then takes.")
@project_option
@json_option
def copy(name: str, new_name: str | None, project_path: Path | None, as_json: bool) -> None:
    """Copy the template NAME into the project's folder templates/, to be changed there."""
    from wavebook_tools.notebooks.templates import copy_template

    made = copy_template(open_or_create(project_path), name, new_name)
    if as_json:
        print_json(asdict(made))
    else:
        console.print(f"Change {made.path}; then: wavebook template check {made.name}", soft_wrap=True)


@template.command()
@click.argument("names", nargs=-1)
@project_option
@json_option
def check(names: tuple[str, ...], project_path: Path | None, as_json: bool) -> None:
    """Check the templates NAMES, or all of the project's own. Exit code 2 where no run can be made from one."""
    from wavebook_tools.notebooks.templates import template as look
    from wavebook_tools.notebooks.templates import templates

    project = find_project(project_path)
    found = [look(project, name) for name in names] or [one for one in templates(project) if one.own]
    if as_json:
        print_json({"templates": [asdict(one) for one in found]})
    for one in [] if as_json else found:
        for advice in one.advice:
            console.print(f"{one.name} {advice}", markup=False, soft_wrap=True)
        if not one.problems:
            console.print(f"{one.name} is fine", markup=False, soft_wrap=True)
    if wrong := [f"the template {one.name!r} {problem}" for one in found for problem in one.problems]:
        raise UsageError("\n".join(wrong))


def _line(one: Template) -> str:
    return f"{one.name}  {one.path or 'of Wavebook'}{'  ' + '; '.join(one.problems) if one.problems else ''}"
