"""What a model says while it plans, as the command line prints it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from wavebook.agent.planner import TextDelta, ToolCall, ToolResult
from wavebook.cli.plan import ask, plan
from wavebook_tools.errors import UsageError
from wavebook_tools.records.project import Project


class Reader:
    """A planner that reads a log and proposes nothing."""

    name = label = "reader"

    async def answer(self, request):
        yield TextDelta("I look at the log.")
        yield ToolCall("1", "read_log", {"run": "exp001/s0"})
        yield ToolResult("1", "foreign text")
        yield TextDelta("Nothing is wrong.")


def test_tools_stand_between_what_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("wavebook.cli.plan.choose_planner", lambda *_: Reader())
    with pytest.raises(UsageError, match="reader proposed no wave"):
        ask(Project.create(tmp_path / "project"), "why?", experiments=None, seeds=None)
    said = capsys.readouterr()
    assert said.err == 'I look at the log.\n(read_log {"run": "exp001/s0"})\nNothing is wrong.\n'
    assert said.out == ""


def test_a_directive_that_fits_into_no_plan_is_refused_in_words(tmp_path):
    refused = CliRunner().invoke(plan, ["turn better " * 1000, "--project", str(tmp_path)])
    assert isinstance(refused.exception, UsageError)
    assert "10000 are allowed" in str(refused.exception)
