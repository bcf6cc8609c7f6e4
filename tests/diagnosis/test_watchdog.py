"""What the watchdog does with files that anybody may have written."""

from __future__ import annotations

import json
import os
import random
import timeit
from pathlib import Path
from typing import Any

import pytest

from wavebook_tools.diagnosis.signatures import SIGNATURES
from wavebook_tools.diagnosis.tail import MOST_AT_ONCE
from wavebook_tools.diagnosis.watchdog import Watchdog

from .conftest import GOOD, MakeRun, WatchedRun

KEYS = ["t", "kind", "phase", "state", "iteration", "values", "text", "status", "index", "finding", "stream", "error"]
WORDS = [
    "state",
    "cell",
    "metric",
    "log",
    "alert",
    "training",
    "compiling",
    "evaluating",
    "done",
    "",
    "\ud800",
    "x" * 99,
]
NAMES = [*GOOD, "Curriculum/terrain_levels", "Episode_Reward/a", "Policy/", "Loss/"]
NUMBERS = [0, 1, -1, 1.5, 1e308, -1e308, 10**400, 2**70, float("nan"), float("inf"), True]
TEXTS = [
    "nefc overflow - please increase njmax to 99999999999999999999\n",
    "Number of Newton contacts (9) exceeded MJWarp limit (0)",
    "CUDA out of memory",
    "No module named ''",
    "normal expects all elements of std >= 0.0",
]


def nonsense(source: random.Random, depth: int = 0) -> Any:
    choice = source.random()
    if choice < 0.3 or depth > 3:
        return source.choice([*NUMBERS, *WORDS, *TEXTS, None])
    if choice < 0.45:
        return [nonsense(source, depth + 1) for _ in range(source.randrange(4))]
    if choice < 0.75:
        return {name: nonsense(source, depth + 1) for name in source.sample(NAMES, source.randrange(len(NAMES)))}
    return {name: nonsense(source, depth + 1) for name in source.sample(KEYS, source.randrange(len(KEYS)))}


def nonsense_line(source: random.Random) -> bytes:
    choice = source.random()
    if choice < 0.1:
        return source.randbytes(source.randrange(200))
    if choice < 0.13:
        return b"[" * 100_000
    if choice < 0.5:
        event = {"kind": "metric", "iteration": nonsense(source, 4), "values": nonsense(source)}
    elif choice < 0.6:
        event = {"kind": "state", "phase": "training"}
    else:
        event = nonsense(source)
        if isinstance(event, dict):
            event["kind"] = source.choice(WORDS)
    line = json.dumps(event).encode()
    return line[: source.randrange(len(line) + 1)] if choice > 0.95 else line


@pytest.mark.parametrize("seed", range(40))
def test_no_events_whatever_make_it_fail(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    (tmp_path / "spec.json").write_text(json.dumps(nonsense(source)))
    now = [0.0]
    watchdog = Watchdog(tmp_path, patience={"training": 60.0}, now=lambda: now[0])
    found = []
    with open(tmp_path / "events.jsonl", "ab", buffering=0) as stream, open(tmp_path / "log.txt", "ab") as log:
        for _ in range(60):
            stream.write(b"\n".join(nonsense_line(source) for _ in range(source.randrange(30))) + b"\n")
            if source.random() < 0.3:
                log.write(source.choice(TEXTS).encode() + source.randbytes(20))
                log.flush()
            now[0] += source.choice([0.5, 1.0, 100.0, -50.0])
            found += watchdog.look()
    error = nonsense(source)
    found.append(watchdog.explain(exit_code=source.randrange(-9, 300), error=str(error) if error else None))
    assert [finding for finding in found if finding and finding.kind == "watchdog"] == []
    for finding in filter(None, found):
        json.dumps(finding.event())
        assert len(finding.message) < 3000


def test_a_signature_that_fails_is_told_and_left_out(run: WatchedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by a defect of ours")

    monkeypatch.setattr(SIGNATURES[0], "see", fail)
    found = run.train(3)
    assert [(finding.kind, finding.ends_run) for finding in found] == [("watchdog", False)]


def test_a_line_is_read_once_it_is_whole(run: WatchedRun) -> None:
    line = json.dumps({"t": 1.0, "kind": "state", "state": "running", "phase": "compiling"})
    with open(run.folder / "events.jsonl", "a") as stream:
        stream.write(line[:20])
        stream.flush()
        run.look()
        assert run.watchdog.phase == "starting"
        stream.write(line[20:] + "\n")
        stream.flush()
        run.look()
    assert run.watchdog.phase == "compiling"


def test_a_line_of_many_megabytes_is_passed_over(run: WatchedRun) -> None:
    with open(run.folder / "events.jsonl", "ab") as stream:
        stream.write(b"x" * (3 * MOST_AT_ONCE) + b"\n")
    run.events.write("state", state="running", phase="compiling")
    run.wait(5)
    assert run.watchdog.phase == "compiling"
    run.train(2)
    assert run.watchdog.last_iteration == 1


def test_without_a_log_the_printed_text_comes_from_the_events(run: WatchedRun) -> None:
    for _ in range(3):
        run.events.write("log", stream="stdout", text="nefc overflow - please increase njmax to 212\n")
    assert [finding.kind for finding in run.look()] == ["constraint overflow"]


def test_missing_and_unreadable_files_are_nothing_new(tmp_path: Path) -> None:
    watchdog = Watchdog(tmp_path / "not there")
    assert watchdog.look() == []
    os.mkfifo(tmp_path / "log.txt")  # opening it would wait for ever
    (tmp_path / "events.jsonl").mkdir()
    watchdog = Watchdog(tmp_path)
    assert watchdog.look() == []
    assert watchdog.explain(exit_code=1, error=None) is not None


def test_a_look_at_nothing_new_reads_no_file(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    run.train(50)
    run.log("something\n")
    run.look()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("opened a file")

    monkeypatch.setattr("builtins.open", fail)
    assert run.look() == []
    seconds = timeit.timeit(run.watchdog.look, number=2000) / 2000
    print(f"a look at nothing new: {seconds * 1e6:.1f} us")


def test_suggestions_say_only_what_they_have(run: WatchedRun) -> None:
    finding = run.explain("MemoryError: ")
    assert finding is not None
    assert finding.event()["suggestion"] == {
        "action": "fewer_envs",
        "why": "the memory that a run takes grows with its environments",
        "num_envs": 2048,
    }
