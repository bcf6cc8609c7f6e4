from __future__ import annotations

import pytest

from tests.agent.conftest import a_plan
from wavebook.agent.slash import Command, command_of, follow
from wavebook.agent.standing import StandingBudgets
from wavebook_tools.errors import UsageError, WavebookError


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/plan walk faster", Command("plan", "walk faster")),
        ("/status", Command("status", "")),
        ("walk /plan", None),
        ("/ is a slash", None),
    ],
)
def test_only_a_message_that_begins_with_a_slash_and_a_word_is_a_command(body, command):
    assert command_of(body) == command


@pytest.mark.parametrize(
    ("body", "told"),
    [("/stauts", "Did you mean 'status'"), ("/plan", "needs a directive"), ("/nope", "/compare WAVE…")],
)
def test_a_wrong_command_is_told_the_right_one(body, told):
    with pytest.raises(UsageError, match=told):
        command_of(body)


def test_run_approves_the_wave_that_waits(project, approvals):
    approvals.propose(a_plan())
    assert "Wave 1 is approved" in follow(Command("run", "1"), approvals, "ada")
    assert approvals.for_wave(1).decided_by == "ada"
    with pytest.raises(WavebookError, match="submitted before"):
        follow(Command("run", "1"), approvals, "ada")
    assert "wave 1" in follow(Command("status", ""), approvals, "ada").lower()
    assert "Wave 1: Track better" in follow(Command("compare", "1"), approvals, "ada")
    assert "found nothing in exp001/s0" in follow(Command("diagnose", "exp001/s0"), approvals, "ada")


@pytest.mark.parametrize("command", [Command("run", "first"), Command("diagnose", ""), Command("budget", "much")])
def test_what_a_command_cannot_read_is_answered_with_its_usage(approvals, command):
    with pytest.raises(UsageError, match=f"/{command.name} "):
        follow(command, approvals, "ada")


def test_a_budget_is_given_shown_and_revoked(project, approvals):
    assert "no standing budget" in follow(Command("budget", ""), approvals, "ada")
    assert "up to 6 runs a wave, 2 GPU hours" in follow(
        Command("budget", "6 runs a wave, 2 GPU hours"), approvals, "ada"
    )
    assert StandingBudgets(project).current().granted_by == "ada"
    assert "revoked" in follow(Command("budget", "off"), approvals, "ada")
    assert [d.what for d in project.ledger.read()] == ["grant budget", "revoke budget"]
