"""The end of a log, as a terminal would leave it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.conftest import small_plan
from wavebook_tools.errors import NotFoundError, UsageError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.widgets import log_view
from wavebook_tools.widgets.logs import SHOWN_BYTES, SHOWN_LINES, LogTail, plain_lines


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b", ""]),
        ("10 %\r50 %\r100 %\ndone", ["100 %", "done"]),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07text", ["red text"]),
        ("tab\tstays\x00", ["tab\tstays"]),
    ],
)
def test_only_what_is_left_on_a_terminal_is_shown(printed: str, shown: list[str]) -> None:
    assert plain_lines(printed) == shown


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    tail = LogTail(log)
    assert tail.text() == ""
    log.write_text("".join(f"line {n} {'ä' * 50}\n" for n in range(20_000)))
    assert log.stat().st_size > 10 * SHOWN_BYTES
    lines = tail.text().splitlines()
    assert len(lines) <= SHOWN_LINES
    assert lines[-1].startswith("line 19999 ")
    with log.open("a") as stream:
        stream.write("the newest\n")
    assert tail.text().splitlines()[-1] == "the newest"


def test_a_log_is_shown_as_text(project: Project, queue: Queue) -> None:
    queue.submit_wave(small_plan(iterations=1))
    queue.wait(["exp001/s0"], timeout=30)
    with project.run("exp001/s0").log_path.open("a") as stream:
        stream.write("<script>alert(1)</script>\n")
    view = log_view("exp001/s0", project)
    html = view.body(view.feed.now())
    assert "iteration 1/1" in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_log_of_no_run_is_refused(project: Project) -> None:
    with pytest.raises(NotFoundError, match="no run 'exp009/s0'"):
        log_view("exp009/s0", project)
    with pytest.raises(UsageError, match="does not name a run"):
        log_view("../../etc/passwd", project)
