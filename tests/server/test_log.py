import pytest

from wavebook.routes.runs import log_part


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("grün " * 1000, encoding="utf-8")
    return path


def test_the_end_of_a_log_begins_at_a_character(log):
    for size in range(1, 12):
        part = log_part(log, None, size)
        assert part["text"] in "grün " * 3
        assert part["end"] == part["size"] == log.stat().st_size
        assert part["end"] - part["start"] == len(part["text"].encode())


def test_a_log_read_in_stretches_is_the_log(log):
    for size in (4, 7, 100, 1 << 16):
        text, start = "", 0
        while start < log.stat().st_size:
            part = log_part(log, start, size)
            assert part["start"] == start
            text, start = text + part["text"], part["end"]
        assert text == log.read_text(encoding="utf-8")


def test_a_log_that_is_not_there_yet_is_empty(tmp_path):
    assert log_part(tmp_path / "log.txt", None, 100) == {"text": "", "start": 0, "end": 0, "size": 0}


def test_damaged_bytes_do_not_stop_the_reader(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"before\xff\xfe\xc3")
    part = log_part(path, None, 100)
    assert part["text"].startswith("before")
    assert part["end"] == 9


def test_a_start_behind_the_end_gives_nothing(log):
    size = log.stat().st_size
    assert log_part(log, size + 100, 100) == {"text": "", "start": size, "end": size, "size": size}
