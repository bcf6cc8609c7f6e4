"""The campaign as a notebook: what was asked, every wave, the best so far, who decided what, repeats and failures."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from wavebook.agent.branches import closed_branches
from wavebook.agent.evidence import rank, read_evidence
from wavebook.agent.night.grant import Nights
from wavebook.agent.night.summary import summary
from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment, collect
from wavebook_tools.comparison.notebook import ComparisonOutput
from wavebook_tools.comparison.report import quiet, save_report
from wavebook_tools.comparison.verdict import Verdict, format_error, judge_all
from wavebook_tools.errors import NotFoundError
from wavebook_tools.metrics.quantities import quantity
from wavebook_tools.records.ledger import Decision
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.records.redaction import redact
from wavebook_tools.records.states import RunState

FILE = "report.ipynb"
DECISIONS = 200
"""The newest decisions are listed; all are counted."""


def write_campaign(project: Project) -> Path:
    """Write the project's report.ipynb, signed, and return its path.

    Raises:
        NotFoundError: No wave was run yet.
        WavebookError: A plan is damaged, or the file cannot be written.
    """
    waves = [wave.id for wave in project.waves()]
    if not waves:
        raise NotFoundError(f"no wave was run in {project.root} yet, so there is nothing to report")
    comparison = collect(project, waves)
    verdicts = judge_all(comparison)
    decisions = project.ledger.read()
    notebook: NotebookNode = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for text in (
        _head(project, comparison, decisions),
        _waves(comparison, verdicts, decisions),
        _best(project, comparison),
    ):
        notebook.cells.append(_markdown(text))
    notebook.cells.append(_compared(comparison, waves))
    for text in (_nights(project), _repeats(comparison), _failures(project, comparison), _decided(decisions)):
        notebook.cells.append(_markdown(text))
    path = project.root / FILE
    save_report(path, notebook, "campaign")
    return path


def _head(project: Project, comparison: Comparison, decisions: Sequence[Decision]) -> str:
    runs = [run for experiment in comparison.experiments for run in experiment.runs]
    states = Counter(str(run.state) for run in runs)
    counted = ", ".join(f"{number} {state}" for state, number in states.most_common())
    asked = dict.fromkeys(plan.directive for plan in comparison.plans if plan.directive)
    lines = [
        f"# Campaign {quiet(project.root.name)}",
        "",
        f"Waves: {len(comparison.plans)}. Experiments: {len(comparison.experiments)}. Runs: {len(runs)} ({counted}). "
        f"Decisions in the ledger: {len(decisions)}.",
        "",
        "## What was asked",
        "",
    ]
    return "\n".join(lines + [f"- {quiet(redact(directive))}" for directive in asked])


def _waves(comparison: Comparison, verdicts: dict[str, Verdict], decisions: Sequence[Decision]) -> str:
    lines = [
        "## Waves",
        "",
        f"| wave | follows | goal | planned by | approved by | experiments | lowest error [{quantity(JUDGED).unit}] |",
        "| ---: | ---: | --- | --- | --- | --- | --- |",
    ]
    for plan in comparison.plans:
        judged = Counter(verdicts[experiment.id].verdict for experiment in plan.experiments)
        approved = next((d.name for d in decisions if d.what == "approve" and d.refs.get("wave") == plan.id), "–")
        lines.append(
            f"| {plan.id} | {plan.parent or '–'} | {quiet(plan.goal)} | {quiet(plan.planner)} | {quiet(approved)} "
            f"| {', '.join(f'{number} {verdict}' for verdict, number in judged.items())} | {_lowest(plan, verdicts)} |"
        )
    return "\n".join(lines)


def _lowest(plan: WavePlan, verdicts: dict[str, Verdict]) -> str:
    """The mean over the seeds of the experiment of a wave that came lowest; survivors of a failed one do not count."""
    told = ((verdicts[experiment.id], experiment.id) for experiment in plan.experiments)
    means = [(verdict.mean, name) for verdict, name in told if verdict.mean is not None and verdict.verdict != "failed"]
    if not means:
        return "–"
    mean, name = min(means)
    return f"{format_error(mean)} ({name})"


def _best(project: Project, comparison: Comparison) -> str:
    lines = ["## Best so far", ""]
    for task in dict.fromkeys(plan.task for plan in comparison.plans):
        ranking = rank(read_evidence(project, task), JUDGED, "down")
        if ranking is None:
            lines.append(f"- `{task}`: nothing was measured yet.")
            continue
        best, reference = ranking.best, ranking.reference
        unit = quantity(JUDGED).unit
        said = f"{format_error(best.mean)} {unit} from {best.seeds} seeds"
        if best is reference:
            lines.append(f"- `{task}`: the baseline {reference.tried.name}, {said}; nothing beat it beyond the noise.")
        else:
            overrides = ", ".join(f"`{name}` = `{value}`" for name, value in best.tried.changes.items())
            lines.append(
                f"- `{task}`: {best.tried.name} with {overrides}: {said}, against "
                f"{format_error(reference.mean)} {unit} of the baseline {reference.tried.name}"
                + ("." if best.tried.repeated else "; it counts as a win once it was repeated on other seeds.")
            )
    return "\n".join(lines)


def _compared(comparison: Comparison, waves: list[int]) -> NotebookNode:
    numbers = ", ".join(map(str, waves))
    cell: NotebookNode = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
        f"from wavebook_tools.comparison import compare\n\ncompare({numbers})", execution_count=1
    )
    cell.outputs = [
        nbformat.v4.new_output("display_data", data=bundle)  # type: ignore[no-untyped-call]
        for bundle in ComparisonOutput(comparison).bundles
    ]
    return cell


def _nights(project: Project) -> str:
    """What was granted to run without a person, and what came of it."""
    told = [summary(project, night, lambda text: quiet(redact(text))) for night in Nights(project).all()]
    told = told or _recorded_nights(project.ledger.read())
    return "\n\n".join(["## Nights", *(told or ["No wave ran without a person's approval of its plan."])])


def _recorded_nights(decisions: Iterable[Decision]) -> list[str]:
    """Nights as the ledger tells of them: a record given away has no database."""
    told: dict[int, list[str]] = {}
    for decision in decisions:
        night, why = decision.refs.get("night"), quiet(redact(decision.why))
        if not isinstance(night, int):
            continue
        if decision.what == "grant night":
            terms = quiet(redact(str(decision.refs.get("terms"))))
            told[night] = [f"**Night {night}**, asked by {quiet(decision.name)}: «{why}», within {terms}.", ""]
        elif decision.what == "judge wave" and night in told:
            told[night].append(f"- wave {decision.refs.get('wave')}: {why}")
        elif decision.what == "end night" and night in told:
            told[night].append(f"- its end: {why}")
    return ["\n".join(lines) for lines in told.values()]


def _repeats(comparison: Comparison) -> str:
    """Configurations that ran in more than one experiment."""
    same: dict[tuple[object, str], list[Experiment]] = {}
    for experiment in comparison.experiments:
        key = (experiment.size, repr(sorted(experiment.changes.items(), key=str)))
        same.setdefault(key, []).append(experiment)
    lines = ["## Repeated", ""]
    for group in same.values():
        if len(group) > 1:
            told = [f"{e.id} ({', '.join(format_error(n) for n in e.measured()) or 'no result'})" for e in group]
            lines.append(f"- {'; '.join(told)} {quantity(JUDGED).unit}, one number a seed")
    return "\n".join(lines if len(lines) > 2 else [*lines, "Nothing was run a second time yet."])


def _failures(project: Project, comparison: Comparison) -> str:
    lines = ["## Failed, and given up", ""]
    for experiment in comparison.experiments:
        cancelled = [run for run in experiment.runs if run.state is RunState.CANCELLED]
        for run in [*experiment.broken, *cancelled]:
            told = quiet(redact(run.message)) or "no message"
            lines.append(f"- {run.id} {told if told.startswith(run.state) else f'{run.state}: {told}'}")
    lines += [f"- branch `{name}` closed: {quiet(redact(why))}" for name, why in closed_branches(project).items()]
    return "\n".join(lines if len(lines) > 2 else [*lines, "No run failed, and no branch was closed."])


def _decided(decisions: Sequence[Decision]) -> str:
    counted = Counter(decision.actor for decision in decisions)
    by = ", ".join(f"{number} by {actor}" for actor, number in counted.most_common()) or "none"
    left = f" The newest {DECISIONS} are listed." if len(decisions) > DECISIONS else ""
    lines = [
        "## Who decided what",
        "",
        f"Decisions: {by}.{left}",
        "",
        "| when (UTC) | who | what | why | concerns |",
        "| --- | --- | --- | --- | --- |",
    ]
    for decision in decisions[-DECISIONS:]:
        when = datetime.datetime.fromtimestamp(decision.t, datetime.UTC).strftime("%Y-%m-%d %H:%M")
        about = "; ".join(f"{name} {value}" for name, value in decision.refs.items() if value)
        lines.append(
            f"| {when} | {decision.actor} {quiet(decision.name)} | {quiet(decision.what)} "
            f"| {quiet(redact(decision.why))} | {quiet(redact(about))} |"
        )
    return "\n".join(lines)


def _markdown(text: str) -> NotebookNode:
    cell: NotebookNode = nbformat.v4.new_markdown_cell(text)  # type: ignore[no-untyped-call]
    return cell
