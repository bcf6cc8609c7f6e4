"""What a session tells a watchdog: its progress, and its stacks when it is asked for them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wavebook_tools.diagnosis.stacks import FAULT_FILE, FAULT_SIGNAL
from wavebook_tools.notebooks.session import RunSession
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import RunRecord
from wavebook_tools.records.run import RUN_FOLDER_VARIABLE, RunSpec


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunSession:
    record = RunRecord(tmp_path)
    spec = RunSpec(
        id="exp001/s0", wave=1, experiment="exp001", slug="plain", hypothesis="It walks.", task="T", seed=0,
        num_envs=4, iterations=2,
    )  # fmt: skip
    write_json(record.spec_path, spec.model_dump(mode="json"))
    monkeypatch.setenv(RUN_FOLDER_VARIABLE, str(tmp_path))
    return RunSession.open("exp001/s0")


def test_progress_is_noted_now_and_then_and_at_the_end(session: RunSession) -> None:
    for step in range(1, 101):
        session.phase("evaluating", progress=step / 100)
    told = [event for event in session.record.events() if event.get("phase") == "evaluating"]
    assert [event["progress"] for event in told] == [0.01, 1.0]
    assert {event["state"] for event in told} == {"evaluating"}


def test_the_stacks_of_all_threads_are_written_when_asked_for(session: RunSession) -> None:
    os.kill(os.getpid(), FAULT_SIGNAL)
    time.sleep(0.1)  # the handler runs in this process before the next bytecode; the file is unbuffered
    assert "test_the_stacks_of_all_threads_are_written_when_asked_for" in (session.record.path / FAULT_FILE).read_text()
