"""Notes at the heads of runs' notebooks about how the runs ended.

    python -m wavebook_tools.jobs.notes < NOTES

``NOTES`` is a JSON list; each note has the run's ``folder``, its ``state`` and a ``message``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.processes import NICENESS, start_child
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


class EndingNotes:
    """Notes on runs whose supervisors could not write them any more.

    The queue must not wait for that, and when a cluster fails there are hundreds at once: one process at a time takes
    all that have come together.
    """

    def __init__(self) -> None:
        self._waiting: list[dict[str, str | None]] = []
        self._pid: int | None = None

    def __bool__(self) -> bool:
        """Whether any is left."""
        return self._pid is not None or bool(self._waiting)

    def add(self, record: RunRecord, state: RunState, message: str | None) -> None:
        """Note how a run ended."""
        self._waiting.append({"folder": str(record.path), "state": state.value, "message": message})

    def start_next(self) -> int | None:
        """Write what waits; returns the process, to be reaped, None where nothing waits or one is at work.

        Raises:
            OSError: No process can be started.
        """
        if self._pid is not None or not self._waiting:
            return None
        notes, self._waiting = self._waiting, []
        import tempfile  # slow to import, and a queue starts without it

        with tempfile.TemporaryFile("w+") as given:  # a pipe would fill before it is read
            json.dump(notes, given)
            given.seek(0)
            command = [sys.executable, "-m", __name__]
            self._pid = start_child(command, niceness=NICENESS, stdin=given, start_new_session=True, cwd=os.sep)
        return self._pid

    def ended(self, pid: int) -> bool:
        """Take in that a process has ended; whether it was the one that writes notes."""
        if pid != self._pid:
            return False
        self._pid = None
        return True


def main() -> None:
    """Write the notes that standard input holds."""
    for note in json.load(sys.stdin):
        try:
            note_ending(RunRecord(Path(note["folder"])), RunState(note["state"]), note["message"])
        except FileNotFoundError:
            continue  # it had not begun
        except (OSError, ValueError, WavebookError) as error:
            print(f"{note['folder']}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
