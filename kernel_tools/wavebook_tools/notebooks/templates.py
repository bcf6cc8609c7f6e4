"""Where the notebook templates lie, and how a project gets its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.iorw import load_notebook_node

from wavebook_tools.errors import NotFoundError, UsageError, WavebookError, did_you_mean
from wavebook_tools.notebooks.validation import PARAMETERS, advice_on, problems_of
from wavebook_tools.records.files import write_atomic
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec

PACKAGE_FOLDER = Path(__file__).resolve().parents[1] / "templates"
"""Where an installed wheel holds the templates."""

REPOSITORY_FOLDER = Path(__file__).resolve().parents[3] / "templates"
"""Where a development install finds them."""


FOLDER = "templates"
"""Where in a project its own templates lie."""

NOT_FOR_RUNS = ("preflight", "report")
"""Templates that no run is made from, so that they need not take in what a run takes."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Template:
    """A template as it is found by its name."""

    name: str
    own: bool
    """Whether it lies in the project; one of Wavebook's own name takes the place of that."""
    path: str | None
    """Relative to the project; None for one of Wavebook's."""
    problems: list[str]
    """Why no run can be made from it; see ``problems_of``."""
    advice: list[str]
    """What its runs would lack."""


def template_folders(project: Project) -> list[Path]:
    """Folders in which templates are looked up, first the project's own."""
    shipped = PACKAGE_FOLDER if PACKAGE_FOLDER.is_dir() else REPOSITORY_FOLDER
    return [project.root / FOLDER, shipped]


def load_template(project: Project, name: str) -> NotebookNode:
    """Read the template ``name``.

    Raises:
        NotFoundError: No such template; the nearest names are told.
        WavebookError: The file is no notebook.
    """
    path = _path(project, name)
    try:
        return load_notebook_node(str(path))
    except Exception as error:  # papermill passes on what json and jsonschema raise
        raise WavebookError(f"the template {path} is no valid notebook: {error}") from error


def _path(project: Project, name: str) -> Path:
    for folder in template_folders(project):
        path = folder / f"{name}.ipynb"
        # A name is one file in one of the folders: a path that leads elsewhere is no template.
        if path.is_file() and path.resolve().parent == folder.resolve():
            return path
    known = template_names(project)
    raise NotFoundError(f"there is no template {name!r}.{did_you_mean(name, known)} Templates: {', '.join(known)}")


def parameters_of(spec: RunSpec, device: str) -> dict[str, Any]:
    """The notebook parameters that a run's input makes."""
    return {
        "run": spec.id,
        "task": spec.task,
        "seed": spec.seed,
        "num_envs": spec.num_envs,
        "iterations": spec.iterations,
        "device": device,
        "overrides": spec.overrides,
        "evaluation": spec.evaluation.model_dump(exclude_none=True),
        "checkpoint": spec.checkpoint,
    }


def templates(project: Project) -> list[Template]:
    """All templates by their names, each as a run would find it, with what is wrong with it."""
    return [template(project, name) for name in template_names(project)]


def template_names(project: Project) -> list[str]:
    """The names of all templates, the project's own and Wavebook's."""
    return sorted({path.stem for folder in template_folders(project) for path in folder.glob("*.ipynb")})


def template(project: Project, name: str) -> Template:
    """One template, with what is wrong with it.

    Raises:
        NotFoundError: There is none of that name.
    """
    path = _path(project, name)
    own = path.is_relative_to(project.root / FOLDER)
    try:
        notebook = load_template(project, name)
    except WavebookError as error:
        problems, advice = [f"is no valid notebook: {error.__cause__}"], []
    else:
        runs = name not in NOT_FOR_RUNS
        problems = problems_of(notebook, PARAMETERS if runs else ())
        advice = advice_on(notebook) if runs else []
    return Template(name, own, f"{FOLDER}/{name}.ipynb" if own else None, problems, advice)


def copy_template(project: Project, name: str, new_name: str | None = None) -> Template:
    """Copy a template into the project, to be changed there.

    Args:
        name: Which.
        new_name: What the copy is called; as the template where absent, whose place it then takes.

    Raises:
        NotFoundError: There is no such template.
        UsageError: The new name is none, or the project has a template of it; nothing is overwritten.
    """
    source, copy = _path(project, name), new_name or name
    if not NAME.fullmatch(copy):
        raise UsageError(f"{copy[:80]!r} is no name of a template: give letters, digits, '-' and '_', as train-mine")
    target = project.root / FOLDER / f"{copy}.ipynb"
    if target.exists():
        raise UsageError(f"the project has a template {copy!r} already ({FOLDER}/{copy}.ipynb); give another name")
    text = source.read_text(encoding="utf-8")
    target.parent.mkdir(exist_ok=True)
    write_atomic(target, text)
    return template(project, copy)
