"""Reading iteration metrics from events.jsonl."""

import json
import time

import numpy as np
import pytest

from wavebook_tools.metrics import MetricCache, MetricReader, read_metrics
from wavebook_tools.records.events import EventWriter


@pytest.fixture
def events(tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl")
    yield writer
    writer.close()


def test_what_a_run_writes_comes_back_as_columns(events):
    events.write("state", state="running")
    events.metric(0, {"reward": 1.0, "error": 0.5})
    events.write("log", text='a line that mentions "metric"')
    events.metric(1, {"reward": 2.0, "error": float("nan")})
    events.metric(2, {"reward": 3.0, "level": 4})
    history = read_metrics(events.path)
    assert history.iterations.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(history["reward"], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(history["error"], [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(history["level"], [np.nan, np.nan, 4.0])
    np.testing.assert_array_equal(history["never recorded"], [np.nan] * 3)
    assert abs(history.times[-1] - time.time()) < 60


def test_a_missing_file_is_an_empty_history(tmp_path):
    assert len(read_metrics(tmp_path / "events.jsonl")) == 0


def test_reading_goes_on_where_it_stopped(events):
    reader = MetricReader(events.path)
    assert len(reader.read()) == 0
    events.metric(0, {"reward": 1.0})
    assert reader.read().iterations.tolist() == [0]
    offset = reader.offset
    events.metric(1, {"reward": 2.0, "error": 0.1})
    history = reader.read()
    assert history.iterations.tolist() == [0, 1]
    np.testing.assert_array_equal(history["error"], [np.nan, 0.1])
    assert reader.offset > offset == events.path.read_bytes().index(b"\n") + 1


def test_a_line_still_being_written_is_left_for_later(events):
    events.metric(0, {"reward": 1.0})
    line = json.dumps({"t": 1.0, "kind": "metric", "iteration": 1, "values": {"reward": 2.0}}).encode() + b"\n"
    reader = MetricReader(events.path)
    with open(events.path, "ab") as stream:
        stream.write(line[:30])
        stream.flush()
        assert reader.read().iterations.tolist() == [0]
        stream.write(line[30:])
    assert reader.read().iterations.tolist() == [0, 1]


@pytest.mark.parametrize(
    "damage",
    [
        b'{"t": 1, "kind": "metric", "iter\n',
        b"\x00\xff\xfe metric \n",
        b'["metric"]\n',
        b'{"kind": "metric", "iteration": "one", "values": {"reward": 9}}\n',
        b'{"kind": "metric", "iteration": 7, "values": 9}\n',
    ],
)
def test_a_damaged_line_is_passed_over(events, damage):
    events.metric(0, {"reward": 1.0})
    with open(events.path, "ab") as stream:
        stream.write(damage)
    events.metric(1, {"reward": 2.0})
    assert read_metrics(events.path)["reward"].tolist() == [1.0, 2.0]


def test_a_value_that_is_no_number_is_a_gap(events):
    events.metric(0, {"reward": "much", "error": 0.5})
    history = read_metrics(events.path)
    assert np.isnan(history["reward"]).all()
    assert history["error"].tolist() == [0.5]


def test_a_resumed_run_supersedes_what_it_repeats(events):
    for iteration in range(5):
        events.metric(iteration, {"reward": float(iteration)})
    reader = MetricReader(events.path)
    reader.read()
    for iteration in (3, 4, 5):  # resumed from the checkpoint of iteration 3
        events.metric(iteration, {"reward": 100.0 + iteration})
    expected = [0.0, 1.0, 2.0, 103.0, 104.0, 105.0]
    assert reader.read()["reward"].tolist() == expected
    assert read_metrics(events.path)["reward"].tolist() == expected


def test_a_file_that_was_replaced_is_read_anew(events):
    for iteration in range(3):
        events.metric(iteration, {"reward": 1.0})
    reader = MetricReader(events.path)
    reader.read()
    events.path.write_text('{"kind": "metric", "t": 1, "iteration": 0, "values": {"reward": 5}}\n')
    assert reader.read()["reward"].tolist() == [5.0]


def test_a_file_put_in_its_place_is_read_anew_whatever_its_size(events):
    events.metric(0, {"reward": 1.0})
    reader = MetricReader(events.path)
    reader.read()
    other = events.path.with_name("other")
    other.write_text("".join(f'{{"kind":"metric","t":1,"iteration":{i},"values":{{"reward":7}}}}\n' for i in range(9)))
    other.replace(events.path)
    assert reader.read()["reward"].tolist() == [7.0] * 9


def test_the_cache_reads_on_and_keeps_within_its_bytes(tmp_path):
    cache = MetricCache(limit=3000)
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        writer = EventWriter(path)
        for iteration in range(50):  # three columns of 50 eight-byte numbers: 1200 bytes
            writer.metric(iteration, {"reward": 1.0})
        writer.close()
        assert len(cache.read(path)) == 50
    assert list(cache._readers) == paths[1:], "the run asked for longest ago has gone"
    writer = EventWriter(paths[2])
    writer.metric(50, {"reward": 2.0})
    writer.close()
    before = cache._readers[paths[2]].offset
    assert cache.read(paths[2])["reward"][-1] == 2.0
    assert cache._readers[paths[2]].offset > before > 0


def test_a_long_run_reads_fast(events):
    values = {f"Episode_Reward/term_{n}": n / 7 for n in range(30)}
    lines = [
        json.dumps({"t": 1.0, "kind": "metric", "iteration": i, "values": values}, separators=(",", ":"))
        for i in range(2000)
    ]
    events.path.write_text("\n".join(lines) + "\n")
    start = time.perf_counter()
    assert len(read_metrics(events.path)) == 2000
    assert time.perf_counter() - start < 1.0  # some 30 ms here; a reader a line at a time takes several times that
