"""``python -m wavebook_tools.comparison PROJECT WAVE``: write a wave's comparison and its report.

Run as a process of its own when a wave ends: drawing takes a second and memory that the queue's process should not.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wavebook_tools.comparison.page import write_comparison
from wavebook_tools.comparison.report import write_report
from wavebook_tools.comparison.verdict import verdicts
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.project import Project


def note_verdicts(project: Project, wave_id: int) -> None:
    """Write each experiment's verdict into the ledger, unless the same stands there already."""
    told = {(d.refs.get("experiment"), d.why) for d in project.ledger.read() if d.what == "verdict"}
    for experiment, verdict in verdicts(project, wave_id).items():
        if (experiment, verdict.text) not in told:
            refs = {"wave": wave_id, "experiment": experiment, "verdict": verdict.verdict}
            project.ledger.append("agent", "comparison", "verdict", why=verdict.text, **refs)


def main(arguments: list[str]) -> int:
    """Note the verdicts, write both files and return the exit code."""
    try:
        if len(arguments) != 2 or not arguments[1].isdigit():
            raise UsageError("usage: python -m wavebook_tools.comparison PROJECT WAVE")
        project, wave_id = Project.find(Path(arguments[0])), int(arguments[1])
        note_verdicts(project, wave_id)
        write_comparison(project, [wave_id], project.wave(wave_id).comparison_path)
        write_report(project, wave_id)  # last: whoever waits for the conclusion looks for it
    except WavebookError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
