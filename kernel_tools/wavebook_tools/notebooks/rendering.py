"""A run's notebook before it runs: the template with the run's hypothesis, provenance and parameters in it."""

from __future__ import annotations

import datetime
import json
from pathlib import PurePosixPath

from nbformat import NotebookNode
from papermill.parameterize import parameterize_notebook

from wavebook_tools.code.cells import insert_code
from wavebook_tools.notebooks.templates import load_template, parameters_of
from wavebook_tools.notebooks.validation import PROVENANCE_TAG, check_template
from wavebook_tools.records.code import marks
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec


def render(project: Project, spec: RunSpec, device: str = "cpu") -> NotebookNode:
    """The notebook of a run, ready to execute.

    Args:
        device: What the simulator is told, ``cpu`` or ``cuda:0``.

    Raises:
        UsageError: The template is missing, does not declare a parameter of the run, or cannot be read as Python.
    """
    notebook = load_template(project, spec.template)
    parameters = parameters_of(spec, device)
    check_template(notebook, spec.template, parameters)
    for cell in notebook.cells:
        if PROVENANCE_TAG in cell.metadata.get("tags", []):
            cell.source = provenance(spec)
    notebook = parameterize_notebook(notebook, parameters, comment="The run's parameters, from its spec.json")
    insert_code(notebook, spec.template, spec.code)
    notebook.metadata["wavebook"] = {"format": 1, "run": spec.id, "wave": spec.wave}
    return notebook


def provenance(spec: RunSpec) -> str:
    """The markdown that opens a run's notebook: what it asks, and where it comes from."""
    created = datetime.datetime.fromtimestamp(spec.created, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    changes = {**spec.overrides, **marks(spec.code)}
    overrides = "\n".join(f"| `{name}` | `{json.dumps(value)}` |" for name, value in changes.items())
    table = (
        f"\n| override | value |\n| --- | --- |\n{overrides}\n" if overrides else "\nNo overrides: the task as it is.\n"
    )
    role = "baseline" if spec.baseline else "experiment"
    resumed = ""
    if spec.resumed_from is not None and spec.checkpoint is not None:
        resumed = f"\nGoes on from `{spec.resumed_from}` at `{PurePosixPath(spec.checkpoint).name}`.\n"
    return (
        f"# {spec.id}: {spec.slug.replace('-', ' ')}\n\n"
        f"**Hypothesis.** {_quiet(spec.hypothesis)}\n\n"
        f"Wave {spec.wave} ({role}) · {_quiet(spec.goal)} · task `{spec.task}` · seed {spec.seed} · "
        f"{spec.num_envs} environments · {spec.iterations} iterations · planned by {_quiet(spec.planner)} · {created}\n"
        f"{resumed}{table}"
    )


def _quiet(text: str) -> str:
    # What a planner wrote is untrusted: it may not open HTML or a link in the record.
    return text.replace("<", "&lt;").replace("[", "&#91;").replace("\n", " ")
