"""``python -m wavebook_tools.comparison PROJECT WAVE``: write a wave's comparison and its report.

Run as a process of its own when a wave ends: drawing takes a second and memory that the queue's process should not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from wavebook_tools.notebooks.startup import skip_iri_checks

skip_iri_checks()

from wavebook_tools.comparison.data import collect
from wavebook_tools.comparison.findings import checked_predictions
from wavebook_tools.comparison.isolation import isolated
from wavebook_tools.comparison.page import write_comparison
from wavebook_tools.comparison.report import write_report
from wavebook_tools.comparison.verdict import judge, verdicts
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.project import Project


def note_verdicts(project: Project, wave_id: int) -> None:
    """Write each experiment's verdict into the ledger, unless the same stands there already."""
    told = {(d.refs.get("experiment"), d.why) for d in project.ledger.read() if d.what == "verdict"}
    for experiment, verdict in verdicts(project, wave_id).items():
        if (experiment, verdict.text) not in told:
            refs = {"wave": wave_id, "experiment": experiment, "verdict": verdict.verdict}
            project.ledger.append("agent", "comparison", "verdict", why=verdict.text, **refs)


def note_findings(project: Project, wave_id: int) -> None:
    """Write into the ledger which predictions came true and, of a diagnosis, what it isolated; each once."""
    comparison = collect(project, [wave_id])
    (plan,) = comparison.plans
    told = {(d.what, d.refs.get("wave"), d.why) for d in project.ledger.read()}
    lines: list[tuple[str, str, dict[str, Any]]] = []
    if plan.purpose == "diagnosis":
        runs = [run.id for experiment in comparison.experiments for run in experiment.runs]
        lines.append(("finding", " ".join(isolated(comparison)), {"evidence": runs}))
    else:
        for name, (held, text) in checked_predictions(comparison, judge(comparison, wave_id)).items():
            lines.append(("prediction", text, {"experiment": name, "held": held}))
    for what, why, refs in lines:
        if (what, wave_id, why) not in told:
            project.ledger.append("agent", "comparison", what, why=why, wave=wave_id, **refs)


def main(arguments: list[str]) -> int:
    """Note the verdicts, write both files and return the exit code."""
    try:
        if len(arguments) != 2 or not arguments[1].isdigit():
            raise UsageError("usage: python -m wavebook_tools.comparison PROJECT WAVE")
        project, wave_id = Project.find(Path(arguments[0])), int(arguments[1])
        note_verdicts(project, wave_id)
        note_findings(project, wave_id)
        write_comparison(project, [wave_id], project.wave(wave_id).comparison_path)
        write_report(project, wave_id)  # last: whoever waits for the conclusion looks for it
    except WavebookError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
