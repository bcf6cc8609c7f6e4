"""events.jsonl keeps whole lines, whoever writes and however a writer ends."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from wavebook_tools.errors import WavebookError
from wavebook_tools.metrics.history import read_metrics
from wavebook_tools.records.events import EventWriter, events_backwards, events_from, read_events
from wavebook_tools.records.project import RunRecord


def write_many(path: Path, name: str, count: int) -> None:
    writer = EventWriter(path)
    for number in range(count):
        writer.write("log", stream=name, text=f"{number} " + "x" * 2000)


def test_writers_of_several_processes_do_not_mix_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(path, name, 300)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    events = list(read_events(path))
    assert len(events) == 900
    for name in "abc":
        numbers = [int(event["text"].split()[0]) for event in events if event["stream"] == name]
        assert numbers == list(range(300))


def test_a_killed_writer_leaves_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    process = multiprocessing.get_context("spawn").Process(target=write_many, args=(path, "a", 10**9))
    process.start()
    while not path.exists() or path.stat().st_size < 1_000_000:
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert all(json.loads(line)["kind"] == "log" for line in path.read_text().splitlines())


def test_a_line_that_a_full_disk_cut_short_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"t":1,"kind":"state","state":"starting"}\n{"t":2,"kind":"met')
    EventWriter(path).write("state", state="failed")
    assert [event.get("state") for event in read_events(path)] == ["starting", "failed"]


def test_numbers_that_are_not_finite_become_null(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventWriter(path).metric(3, {"Loss/value": float("nan"), "Train/mean_reward": 1.5})
    (event,) = read_events(path)
    assert event["values"] == {"Loss/value": None, "Train/mean_reward": 1.5}


def test_a_reader_goes_on_where_it_stopped_and_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    writer.metric(0, {})
    ((first, offset),) = events_from(path, 0)
    assert first["iteration"] == 0
    with open(path, "a") as stream:
        stream.write('{"t":1,"kind":"metric","iteration":1')
    assert list(events_from(path, offset)) == []
    with open(path, "a") as stream:
        stream.write(',"values":{}}\n')
    assert [event["iteration"] for event, _ in events_from(path, offset)] == [1]


def test_events_of_a_kind_are_found_from_the_end_between_whatever_a_run_wrote(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    metric = json.dumps({"t": 1.0, "kind": "metric", "values": {f"Loss/{n}": n for n in range(50)}}) + "\n"
    with path.open("w") as stream:
        for number in range(3):
            stream.write(json.dumps({"t": number, "kind": "alert", "message": f"found {number}"}) + "\n")
            stream.write(metric * 500)  # half a megabyte, more than is read at once
            stream.write('{"kind": "alert"' + "[" * 5000 + "\n")
            stream.write('["alert"]\n')
            stream.write('{"kind": "alert", "deep": ' + "[" * 200_000 + "]" * 200_000 + "}\n")
    assert [event["message"] for event in events_backwards(path, "alert")] == ["found 2", "found 1", "found 0"]
    assert sum(event["kind"] == "metric" for event in read_events(path)) == 1500
    assert list(events_backwards(tmp_path / "none.jsonl", "alert")) == []


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_regular_file_holds_no_reader_and_takes_no_event(kind: str, tmp_path: Path) -> None:
    run = RunRecord(tmp_path / "exp001-odd" / "s0")
    run.path.mkdir(parents=True)
    held = None
    for path in (run.events_path, run.result_path):
        if kind == "pipe":
            os.mkfifo(path)
            held = os.open(path, os.O_RDWR)  # so that opening it alone waits for nobody
        elif kind == "device":
            path.symlink_to("/dev/null")
        else:
            path.mkdir()
    try:
        assert list(run.events()) == []
        assert list(run.events_backwards("state")) == []
        assert not read_metrics(run.events_path).iterations.size
        with pytest.raises(OSError, match=r"regular file|directory"):
            EventWriter(run.events_path)
        with pytest.raises(WavebookError, match="no regular file"):
            run.result()
    finally:
        if held is not None:
            os.close(held)
