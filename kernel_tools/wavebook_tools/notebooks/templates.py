"""Where the notebook templates lie, and what a template must have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.inspection import _infer_parameters
from papermill.iorw import load_notebook_node

from wavebook_tools.errors import NotFoundError, UsageError, WavebookError, did_you_mean
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec

PACKAGE_FOLDER = Path(__file__).resolve().parents[1] / "templates"
"""Where an installed wheel holds the templates."""

REPOSITORY_FOLDER = Path(__file__).resolve().parents[3] / "templates"
"""Where a development install finds them."""


def template_folders(project: Project) -> list[Path]:
    """Folders in which templates are looked up, first the project's own."""
    shipped = PACKAGE_FOLDER if PACKAGE_FOLDER.is_dir() else REPOSITORY_FOLDER
    return [project.root / "templates", shipped]


def load_template(project: Project, name: str) -> NotebookNode:
    """Read the template ``name``.

    Raises:
        NotFoundError: No such template; the nearest names are told.
        WavebookError: The file is no notebook.
    """
    folders = template_folders(project)
    for folder in folders:
        path = folder / f"{name}.ipynb"
        # A name is one file in one of the folders: a path that leads elsewhere is no template.
        if path.is_file() and path.resolve().parent == folder.resolve():
            try:
                return load_notebook_node(str(path))
            except Exception as error:  # papermill passes on what json and jsonschema raise
                raise WavebookError(f"the template {path} is no valid notebook: {error}") from error
    known = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
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


def check_parameters(notebook: NotebookNode, name: str, parameters: dict[str, Any]) -> None:
    """Refuse a template that would ignore a parameter.

    Raises:
        UsageError: The cell tagged ``parameters`` is missing, or lacks a name.
    """
    if not any("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        raise UsageError(f"the template {name!r} has no cell tagged 'parameters'; Wavebook puts a run's input there")
    declared = {parameter.name for parameter in _infer_parameters(notebook)}
    if missing := [parameter for parameter in parameters if parameter not in declared]:
        raise UsageError(
            f"the template {name!r} misses the parameter{'s' if len(missing) > 1 else ''} "
            f"{', '.join(missing)} in its cell tagged 'parameters'; it declares {', '.join(sorted(declared))}"
        )
