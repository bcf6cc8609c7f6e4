"""A wave's report: a notebook that tells what was asked, tried and learnt, and opens without a kernel."""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment, Run, collect
from wavebook_tools.comparison.findings import findings
from wavebook_tools.comparison.notebook import ComparisonOutput
from wavebook_tools.comparison.overview import MARKS, ranked
from wavebook_tools.comparison.verdict import Verdict, format_error, judge
from wavebook_tools.display.tables import format_value
from wavebook_tools.errors import WavebookError
from wavebook_tools.metrics.quantities import quantity
from wavebook_tools.notebooks.signing import sign
from wavebook_tools.notebooks.templates import load_template
from wavebook_tools.records.files import write_atomic
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunState

TEMPLATE = "report"
TAG = "wavebook-"
"""Cells of the template tagged so and with the name of a section are filled in."""


def write_report(project: Project, wave_id: int) -> Path:
    """Write a wave's report.ipynb, signed, and return its path.

    A report that a person has changed since is kept beside the new one, as report-kept-1.ipynb and so on.

    Raises:
        NotFoundError: There is no such wave, or no template.
        WavebookError: wave.json or the template is damaged, or the file cannot be written.
    """
    comparison = collect(project, [wave_id])
    verdicts = judge(comparison, wave_id)
    notebook = load_template(project, TEMPLATE)
    sections = {
        "head": _head(comparison),
        "experiments": _experiments(comparison, verdicts),
        "verdicts": _verdicts(comparison, verdicts),
        "failures": _failures(comparison),
        "learnt": "\n".join(
            ["## What was learnt", "", *(f"- {quiet(line)}" for line in findings(comparison, verdicts))]
        ),
    }
    for cell in notebook.cells:
        for tag in cell.metadata.get("tags", []):
            name = tag.removeprefix(TAG)
            if name in sections:
                cell.source = sections[name]
            elif tag == f"{TAG}comparison":
                _fill_comparison(cell, comparison, wave_id)
    path = project.wave(wave_id).report_path
    save_report(path, notebook, wave_id)
    return path


def save_report(path: Path, notebook: NotebookNode, about: int | str) -> None:
    """Write a report, signed. One that a person has changed since is kept beside it.

    Args:
        path: Where it goes.
        notebook: The report.
        about: The wave's number, or what else it reports.

    Raises:
        WavebookError: The file cannot be written.
    """
    _describe_kernel(notebook)
    notebook.metadata["wavebook"] = {"format": 1, "report": about, "digest": _digest(notebook)}
    _keep_changed(path)
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    write_atomic(path, text + "\n")
    sign(path)


def _fill_comparison(cell: NotebookNode, comparison: Comparison, wave_id: int) -> None:
    cell.source = f"from wavebook_tools.comparison import compare\n\ncompare({wave_id})"
    cell.execution_count = 1
    cell.outputs = [
        nbformat.v4.new_output("display_data", data=bundle)  # type: ignore[no-untyped-call]
        for bundle in ComparisonOutput(comparison).bundles
    ]


def _head(comparison: Comparison) -> str:
    (plan,) = comparison.plans
    created = datetime.datetime.fromtimestamp(plan.created, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    parent = f" · follows wave {plan.parent}" if plan.parent else ""
    asked = f"**Directive.** {quiet(plan.directive)}\n\n" if plan.directive else ""
    return (
        f"# Wave {plan.id}: {quiet(plan.goal)}\n\n{asked}"
        f"Task `{plan.task}` · {plan.num_envs} environments · {plan.iterations} iterations{parent} · "
        f"planned by {quiet(plan.planner)} · {created}"
    )


def _experiments(comparison: Comparison, verdicts: Mapping[str, Verdict]) -> str:
    lines = ["## Experiments", ""]
    for experiment in comparison.experiments:
        shown = ", ".join(f"`{name}` = `{code(value)}`" for name, value in experiment.spec.changes.items())
        lines.append(
            f"**{experiment.label}** ({MARKS[verdicts[experiment.id].verdict]}): {quiet(experiment.spec.hypothesis)}"
        )
        lines += ["", f"- changes {shown}" if shown else "- changes nothing"]
        seeds = ", ".join(f"{run.id}: {run.state}" for run in experiment.runs)
        lines += [f"- runs {seeds}", ""]
    return "\n".join(lines).rstrip()


def _verdicts(comparison: Comparison, verdicts: Mapping[str, Verdict]) -> str:
    unit = quantity(JUDGED).unit
    lines = [
        "## Verdicts",
        "",
        f"| experiment | verdict | velocity error [{unit}] | difference [{unit}] | must exceed [{unit}] | seeds |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for experiment in ranked(comparison.experiments, verdicts):
        verdict = verdicts[experiment.id]
        numbers = [_error(verdict.mean), _error(verdict.difference, sign=True), _error(verdict.threshold)]
        cells = [experiment.label, MARKS[verdict.verdict], *numbers, f"{verdict.seeds} of {len(experiment.runs)}"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"- **{e.id}**: {quiet(verdicts[e.id].text)}" for e in comparison.experiments)]
    return "\n".join(lines)


def _failures(comparison: Comparison) -> str:
    lines = [
        f"- `{run.id}` {run.state}: {quiet(run.message) or 'no reason was recorded'}"
        for experiment in comparison.experiments
        for run in (*experiment.broken, *_cancelled(experiment))
    ]
    lines += [f"- {quiet(problem)}" for problem in comparison.problems]
    return "\n".join(["## Failures", "", *(lines or ["None."])])


def _cancelled(experiment: Experiment) -> tuple[Run, ...]:
    return tuple(run for run in experiment.runs if run.state is RunState.CANCELLED)


def _keep_changed(path: Path) -> None:
    try:
        old = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        if old.metadata.get("wavebook", {}).get("digest") == _digest(old):
            return
    except FileNotFoundError:
        return
    except Exception:  # not a notebook any more: still a person's file
        pass
    number = 1
    while (kept := path.with_name(f"{path.stem}-kept-{number}.ipynb")).exists():
        number += 1
    try:
        path.rename(kept)
    except OSError as error:
        raise WavebookError(f"cannot move the changed report to {kept}: {error.strerror or error}") from error


def _describe_kernel(notebook: NotebookNode) -> None:
    """Say of the kernel what JupyterLab writes as it connects to it; else a report counts as changed once opened."""
    kernel = notebook.metadata.setdefault("kernelspec", {})
    if kernel.setdefault("name", "python3") != "python3":  # a person's own template names another
        return
    kernel.update(display_name="Python 3 (ipykernel)", language="python")
    notebook.metadata["language_info"] = {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": platform.python_version(),
    }


def _digest(notebook: NotebookNode) -> str:
    sources = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def _error(value: float | None, *, sign: bool = False) -> str:
    return "–" if value is None else format_error(value, sign=sign)


_ACTIVE = {ord(character): f"&#{ord(character)};" for character in "\\`*_[]<>|#!$&"}
"""What means something in markdown, as entities. At one go: an entity holds a # itself."""


def code(value: object) -> str:
    """A value for a span of code: on one line, without what would end it."""
    return format_value(value).replace("`", "'").replace("|", "¦")


def quiet(text: str) -> str:
    """Text of a plan or a log as plain markdown: it opens no HTML, link, image, table or heading of its own."""
    return " ".join(text.split()).translate(_ACTIVE)
