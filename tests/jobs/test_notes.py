"""Notes on runs whose supervisors were lost."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat

from wavebook_tools.jobs.notes import EndingNotes
from wavebook_tools.records.project import RunRecord
from wavebook_tools.records.states import RunState


def record(folder: Path, number: int) -> RunRecord:
    made = RunRecord(folder / "exp001-lost" / f"s{number}")
    made.path.mkdir(parents=True)
    return made


def test_one_process_notes_all_that_were_lost_together(tmp_path: Path) -> None:
    lost = [record(tmp_path, number) for number in range(40)]
    for one in lost[1:]:  # the first had not begun
        nbformat.write(nbformat.v4.new_notebook(), one.notebook_path)
    notes = EndingNotes()
    assert not notes
    notes.add(lost[0], RunState.FAILED, "its node failed")
    pid = notes.start_next()
    assert pid is not None
    for one in lost[1:]:
        notes.add(one, RunState.FAILED, "its node failed")
        assert notes.start_next() is None  # one is at work
    os.waitpid(pid, 0)
    assert not notes.ended(pid + 1)
    assert notes.ended(pid)
    pid = notes.start_next()
    assert pid is not None
    assert notes
    os.waitpid(pid, 0)
    assert notes.ended(pid)
    assert not notes
    for one in lost[1:]:
        assert nbformat.read(one.notebook_path, as_version=4).cells[0].source == "**failed**: its node failed"
    assert not lost[0].notebook_path.exists()
