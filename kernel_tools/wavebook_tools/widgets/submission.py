"""From what a person fills into the form to a wave of one experiment in the queue."""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wavebook_tools.errors import UsageError, WavebookError, did_you_mean
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.files import first_problem, write_atomic
from wavebook_tools.records.numbering import next_numbers
from wavebook_tools.records.plan import ExperimentSpec, WavePlan, slugify
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunId
from wavebook_tools.tasks.check import check_plan

NOTEBOOKS_LISTED = 200
SKIPPED_FOLDERS = frozenset({"waves", "templates", "node_modules"})


@dataclass(frozen=True)
class Request:
    """What the form holds."""

    notebook: str
    """A template's name, or the path of a notebook relative to the project."""
    task: str
    name: str
    hypothesis: str
    num_envs: int
    iterations: int
    seeds: str
    """Whole numbers with commas; ``0-4`` is a range."""
    overrides: str
    """One ``name = value`` a line; values as Python or JSON writes them."""
    devices: tuple[str, ...] = ("auto",)
    gpus: int = 1
    share: bool = False
    priority: int = 0


def submit(project: Project, request: Request, by: str) -> list[RunId]:
    """Queue what was asked for; the click is the approval, and the ledger says whose.

    Raises:
        UsageError: Something is wrong with the request; every problem that was found is named, and nothing is written.
        WavebookError: The project cannot be written.
    """
    with _submitting(project):
        template, copy = _template(project, request.notebook)
        plan = plan_of(project, request, template)
        check_plan(plan, device_names=project.settings().engine.device_names)
        written = copy is not None and not copy[0].exists()
        try:
            if copy is not None and written:
                write_atomic(*copy)
            with Queue(project) as queue:
                runs = queue.submit_wave(plan)
        except BaseException:
            if copy is not None and written:
                copy[0].unlink(missing_ok=True)
            raise
        project.ledger.append(
            "human", by, "submit", why=request.hypothesis.strip(), wave=plan.id, runs=runs, notebook=request.notebook
        )
        return runs


def plan_of(project: Project, request: Request, template: str) -> WavePlan:
    """The wave of one experiment that a request makes.

    Raises:
        UsageError: A field cannot be understood; the message has a line for each.
    """
    problems: list[str] = []
    seeds: list[int] = []
    overrides: dict[str, Any] = {}
    with _collecting(problems):
        seeds = parse_seeds(request.seeds)
    with _collecting(problems):
        overrides = parse_overrides(request.overrides)
    hypothesis = request.hypothesis.strip()
    if not hypothesis:
        problems.append("hypothesis: say in a sentence what the run is to find out")
    if not request.devices:
        problems.append("devices: choose at least one, or any free one")
    if problems:
        raise UsageError("\n".join(problems))
    free = next_numbers(project, _proposed(project))
    slug = slugify(request.name.strip() or hypothesis)
    devices = ["auto"] if "auto" in request.devices else list(request.devices)
    try:
        return WavePlan(
            id=free.wave,
            slug=slug,
            goal=hypothesis,
            task=request.task,
            num_envs=request.num_envs,
            iterations=request.iterations,
            devices=devices,
            gpus=request.gpus,
            share=request.share,
            priority=request.priority,
            budget=project.settings().budget,
            evaluation=project.settings().evaluation,
            experiments=[
                ExperimentSpec(
                    id=free.experiment_id(),
                    slug=slug,
                    hypothesis=hypothesis,
                    overrides=overrides,
                    seeds=seeds,
                    template=template,
                )
            ],
        )
    except ValidationError as error:
        raise UsageError(first_problem(error).removeprefix("document: ")) from error


def parse_seeds(text: str) -> list[int]:
    """Seeds as a person writes them: ``0, 1, 2`` or ``0-2``.

    Raises:
        UsageError: No seed, or something that is none.
    """
    seeds: list[int] = []
    for part in filter(None, re.split(r"[,\s]+", text.strip())):
        match = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", part)
        if match is None:
            raise UsageError(f"seeds: {part!r} is no seed; write whole numbers with commas, as 0, 1, 2")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + 32:
            raise UsageError(f"seeds: {part!r} is no range of at most 32 seeds, as 0-4")
        seeds.extend(range(first, last + 1))
    if not seeds:
        raise UsageError("seeds: give at least one, as 0")
    return seeds


def parse_overrides(text: str) -> dict[str, Any]:
    """Overrides as a person writes them, one ``name = value`` a line.

    Raises:
        UsageError: A line that is none, or a name that stands twice; the message has a line for each.
    """
    overrides: dict[str, Any] = {}
    problems = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name or not value:
            problems.append(f"overrides: {line!r} is no override; write name = value, one a line")
        elif name in overrides:
            problems.append(f"overrides: {name!r} stands twice")
        else:
            overrides[name] = _value(value)
    if problems:
        raise UsageError("\n".join(problems))
    return overrides


def notebooks(project: Project) -> list[str]:
    """What can be submitted: the templates by name, then the project's own notebooks that take parameters, by path."""
    from wavebook_tools.notebooks.templates import NOT_FOR_RUNS, template_names

    own: list[str] = []
    for folder, names, files in os.walk(project.root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in SKIPPED_FOLDERS)
        for file in sorted(files):
            path = Path(folder, file)
            if path.suffix == ".ipynb" and _declared(path):
                own.append(path.relative_to(project.root).as_posix())
        if len(own) >= NOTEBOOKS_LISTED:
            break
    return [name for name in template_names(project) if name not in NOT_FOR_RUNS] + own


def defaults(project: Project, notebook: str) -> dict[str, Any]:
    """The values that a notebook's parameters have by themselves; those that are no literals are left out."""
    from wavebook_tools.notebooks.templates import template_folders

    if "/" in notebook or notebook.endswith(".ipynb"):
        with contextlib.suppress(UsageError):
            return _declared(project.resolve(notebook))
        return {}
    paths = (folder / f"{notebook}.ipynb" for folder in template_folders(project))
    return next((_declared(path) for path in paths if path.is_file()), {})


def _declared(path: Path) -> dict[str, Any]:
    """The parameters of a notebook, read without executing anything of it."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
        tagged = next(cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", []))
        source = tagged["source"] if isinstance(tagged["source"], str) else "".join(tagged["source"])
        body = ast.parse(source).body
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration, SyntaxError):
        return {}
    found = {}
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                found[statement.targets[0].id] = ast.literal_eval(statement.value)
    return found


def _template(project: Project, notebook: str) -> tuple[str, tuple[Path, str] | None]:
    """The template's name, and for a notebook of the project the copy that it becomes: file and text.

    A copy, named after its content, because a repeat of the run must find what the run was made from, however the
    notebook has changed since.
    """
    if not notebook:
        raise UsageError("notebook: choose one")
    if "/" not in notebook and not notebook.endswith(".ipynb"):
        return notebook, None
    path = project.resolve(notebook)
    if not path.is_file():
        raise UsageError(
            f"there is no notebook {notebook!r} in the project.{did_you_mean(notebook, notebooks(project))}"
        )
    import nbformat

    try:
        document = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat passes on what json and jsonschema raise
        raise WavebookError(f"{notebook} is no valid notebook: {error}") from error
    for cell in document.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    text = str(nbformat.writes(document)) + "\n"
    name = f"{slugify(path.stem)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return name, (project.root / "templates" / f"{name}.ipynb", text)


def _value(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return read(text)
    return text


def _proposed(project: Project) -> list[WavePlan]:
    """The plans that wait for an approval or for the queue; one that is damaged is told where it is decided."""
    if not project.database_path.exists():
        return []
    # Opened for reading: the table belongs to the planner's side, and may not be there.
    with contextlib.closing(sqlite3.connect(f"{project.database_path.as_uri()}?mode=ro", uri=True, timeout=30)) as db:
        try:
            rows = db.execute("SELECT plan FROM approvals WHERE state IN ('pending', 'approved')").fetchall()
        except sqlite3.OperationalError:
            return []
    plans = []
    for (text,) in rows:
        with contextlib.suppress(ValidationError):
            plans.append(WavePlan.model_validate_json(text))
    return plans


@contextlib.contextmanager
def _collecting(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        problems.append(str(error))


@contextlib.contextmanager
def _submitting(project: Project) -> Iterator[None]:
    # One at a time, from the free numbers to the queue, whichever kernel asks.
    Project.create(project.root)
    descriptor = os.open(project.state_path / "submissions.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
