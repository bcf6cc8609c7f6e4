"""The note at the head of a run's notebook about how the run ended.

python -m wavebook_tools.jobs.notes RUN_FOLDER STATE MESSAGE
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from wavebook_tools.records.project import RunRecord
from wavebook_tools.records.states import RunState


def note_ending(record: RunRecord, state: RunState, message: str | None) -> None:
    """Write how a run ended into its notebook.

    Raises:
        OSError: There is no notebook.
        WavebookError: The folder cannot be written.
    """
    # Imported here, as it is heavy and a run that is done never needs it.
    from wavebook_tools.notebooks.startup import skip_iri_checks

    skip_iri_checks()
    from wavebook_tools.notebooks.annotation import annotate

    annotate(record.notebook_path, f"**{state.value}**: {message}" if message else f"**{state.value}**")


def begin_note(record: RunRecord, state: RunState, message: str | None) -> int:
    """Have a process of its own write the note, since the queue must not wait for it; returns its pid, to be reaped.

    Raises:
        OSError: No process can be started.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(record.path), state.value, message or ""],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        cwd=os.sep,
    )
    process.returncode = 0  # the dispatcher reaps it; Popen must neither wait for it nor complain
    return process.pid


if __name__ == "__main__":
    note_ending(RunRecord(Path(sys.argv[1])), RunState(sys.argv[2]), sys.argv[3])
