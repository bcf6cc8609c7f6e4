"""Templates of a project's own: copied, changed, checked, refused before a run is made from them."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from tests.jobs.conftest import EVALUATION, PARAMETERS, TRAINING, notebook_template, small_plan, write_template
from wavebook.agent.approvals import Approvals
from wavebook.cli.main import commands
from wavebook_tools.errors import NotFoundError, UsageError
from wavebook_tools.notebooks.rendering import render
from wavebook_tools.notebooks.templates import copy_template, load_template, template, templates
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


def change(project: Project, name: str, old: str, new: str) -> None:
    path = project.root / "templates" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, path)


def test_the_shipped_templates_are_fine(project: Project) -> None:
    found = {one.name: one for one in templates(project)}
    assert {"train", "report"} <= set(found)
    assert all(not one.own and not one.problems and not one.advice for one in found.values())


def test_a_copy_takes_the_place_of_the_template_or_has_a_name_of_its_own(project: Project) -> None:
    shipped = load_template(project, "train")
    assert copy_template(project, "train").path == "templates/train.ipynb"
    copy = copy_template(project, "train", "rough")
    assert (copy.name, copy.own, copy.problems) == ("rough", True, [])
    change(project, "train", "# Train and evaluate one experiment", "# Mine")
    assert load_template(project, "train").cells[0].source.startswith("# Mine")
    assert load_template(project, "rough") == shipped
    for name, new, reason in (
        ("train", None, "already"),
        ("train", "../train", "is no name of a template"),
        ("train", "a/b", "is no name of a template"),
    ):
        with pytest.raises(UsageError, match=reason):
            copy_template(project, name, new)
    with pytest.raises(NotFoundError, match="Did you mean 'train'"):
        copy_template(project, "trian")


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([PARAMETERS.replace("num_envs", "envs"), TRAINING], r"misses the parameter num_envs .* declares checkpoint"),
        ([PARAMETERS, "for i in range(3)\n    print(i)"], r"cannot be read at cell 3, line 1: expected ':'"),
        ([PARAMETERS, "%matplotlib inline\n!ls\nawait thing()", TRAINING, EVALUATION], None),
        ([PARAMETERS, "%%bash\nls -l | wc"], None),
    ],
)
def test_a_changed_template_is_checked_before_anything_is_queued(
    project: Project, cells: list[str], problem: str | None
) -> None:
    notebook = notebook_template(*cells[1:])
    notebook.cells[1].source = cells[0]
    (project.root / "templates").mkdir()
    nbformat.write(notebook, project.root / "templates" / "quick.ipynb")
    plan = small_plan()
    if problem is None:
        assert template(project, "quick").problems == []
        render(project, RunSpec.from_plan(plan, plan.experiments[0], 0, version="0"))
        return
    with pytest.raises(UsageError, match=f"the template 'quick' {problem}"):
        Approvals(project).propose(plan)
    assert Approvals(project).list() == []


def test_an_approved_plan_is_refused_where_its_template_broke_meanwhile(project: Project) -> None:
    write_template(project, "quick", TRAINING, EVALUATION)
    approvals = Approvals(project)
    approval = approvals.propose(small_plan())
    change(project, "quick", "iterations = 1", "rounds = 1")
    with pytest.raises(UsageError, match="misses the parameter iterations"):
        approvals.decide(approval.id, "approve", "ana")
    assert approvals.get(approval.id).state == "pending"
    assert project.waves() == []


def test_a_template_that_would_record_nothing_is_told(project: Project) -> None:
    write_template(project, "quick", "print(run)")
    path = project.root / "templates" / "quick.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].metadata["tags"] = []
    nbformat.write(notebook, path)
    told = " ".join(template(project, "quick").advice)
    assert "wavebook-provenance" in told
    assert "opens no RunSession" in told
    path.write_text("{}")
    assert "is no valid notebook" in template(project, "quick").problems[0]


def test_the_command_line_copies_and_checks(project: Project) -> None:
    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(commands, ["template", *arguments, "--project", str(project.root)])
        return (2, str(result.exception)) if isinstance(result.exception, UsageError) else (0, result.output)

    assert "wavebook template check rough" in call("copy", "train", "--as", "rough")[1].replace("\n", " ")
    assert call("check") == (0, "rough is fine\n")
    change(project, "rough", "seed = 0", "sead = 0")
    code, told = call("check", "rough")
    assert code == 2
    assert "the template 'rough' misses the parameter seed" in told
    assert "Did you mean 'sead'" in told
    listed = json.loads(call("list", "--json")[1])["templates"]
    assert {one["name"]: one["own"] for one in listed} == {
        "preflight": False,
        "report": False,
        "rough": True,
        "train": False,
    }
