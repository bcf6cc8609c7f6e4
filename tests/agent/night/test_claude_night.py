"""A night with Claude as the planner: the real client, against a local server that says what a script has it say.

What counts is what ran, what was approved and by whom. Each turn of a script may tell what Claude must have been told
before it (`expect`); a script that is not played to its end fails.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

from tests.agent.conftest import a_plan
from tests.agent.messages_server import KEY, serving
from tests.agent.night.conftest import SETTINGS, terms, until
from wavebook.agent.approvals import Approvals
from wavebook.agent.choice import ChosenPlanner
from wavebook.agent.claude_history import FOOTNOTE
from wavebook.agent.claude_usage import Meter, Tokens
from wavebook.agent.night import loop, process
from wavebook.agent.night.grant import Nights
from wavebook.agent.night.loop import Night
from wavebook.agent.planner import Proposal
from wavebook.agent.tools.requests import Requests
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.planner_settings import ClaudeSettings
from wavebook_tools.records.project import Project

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"
MODEL = ClaudeSettings().model
OVERLOADED = {"status": 529, "error": "overloaded_error"}


def wave(goal: str, *experiments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A call of ``propose_wave``."""
    return {"tool": "propose_wave", "input": {"goal": goal, "experiments": list(experiments), **fields}}


def baseline(*seeds: int) -> dict[str, Any]:
    return {"slug": "baseline", "hypothesis": "Its spread is the noise.", "seeds": [*seeds], "baseline": True}


def heavier(weight: float, *seeds: int) -> dict[str, Any]:
    return {
        "slug": f"weight-{weight:g}",
        "hypothesis": "A heavier tracking reward lowers the velocity error.",
        "overrides": {WEIGHT: weight},
        "seeds": [*seeds],
        "prediction": {"metric": "error_vel_xy", "direction": "down"},
    }


@contextmanager
def scripted(project: Project, *turns: dict[str, Any]):
    """Claude by a script, as the project's planner; at the end the script must have been played, turn by turn."""
    with serving([*turns]) as server:
        claude = f'name = "claude"\n\n[planner.claude]\nbase_url = "{server.url}"\nretries = 1\n'
        (project.root / "wavebook.toml").write_text(SETTINGS.replace('name = "offline"\n', claude))
        yield server
    assert server.refused == []
    assert server.turns == []
    for turn, request in zip(turns, server.requests, strict=True):
        told = json.dumps(request["messages"], ensure_ascii=False)
        for wanted in turn.get("expect", []):
            assert wanted in told, (wanted, told[-3000:])


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    monkeypatch.setattr("wavebook.agent.claude_stream.FIRST_PAUSE", 0.01)
    monkeypatch.setattr(loop, "PAUSES", (0.01, 0.01))


def rows(project: Project) -> list[Any]:
    with Queue(project) as queue:
        return queue.store.all()


def follow(project: Project, after: Callable[[], Any] | None = None) -> None:
    """Follow the night in force in this process; ``after`` happens when Claude has proposed a wave."""

    class Followed(ChosenPlanner):
        async def answer(self, request):
            async for part in super().answer(request):
                yield part
                if after is not None and isinstance(part, Proposal):
                    await asyncio.to_thread(after)

    asyncio.run(Night(project, Followed(project)).run())


def test_a_night_of_two_waves_keeps_to_its_grant_whatever_claude_calls(project):
    """Overload, a cut connection and a dead end of the answer; too many runs, and tools that spend or approve."""
    Approvals(project).propose(a_plan(), by="ada")  # wave 1 waits for ada, and must go on waiting
    turns = [
        OVERLOADED,
        {
            "expect": ["This is wave 1 of at most 2, with at most 4 runs", "wave 1 waits for the person"],
            "reply": [{"tool": "launch_wave", "input": {"wave": 1}}],
        },
        {
            "expect": ["an agent cannot give it"],
            "reply": [wave("Measure the noise and a heavier reward", baseline(0, 1, 2), heavier(6, 0, 1, 2))],
        },
        {"expect": ["wave 2 with 6 runs is before the person"], "reply": [{"text": "It measures the noise."}]},
        # The night asks again, and says why.
        {
            "expect": ["it has 6 runs and the grant allows 4 a wave"],
            "reply": [{"text": "I propose a smaller wave for this night."}],
            "cut_after": 3,
        },
        {"reply": [wave("Measure the noise and a heavier reward", baseline(0, 1), heavier(6, 0))]},
        # No last words: the endpoint is overloaded for good. The plan had been made.
        OVERLOADED,
        OVERLOADED,
        {
            "expect": ["This is wave 2 of at most 2", "reproduce the best with 2 seeds", "wave 2 (done)"],
            "reply": [
                {"tool": "retry_runs", "input": {"wave": 2}},
                {"tool": "bisect_terrains", "input": {}},
                wave("Repeat the best", baseline(1, 2), heavier(9, 0), overrides={WEIGHT: 6.0}, parent=2),
            ],
        },
        {
            "expect": ["retry_runs needs a person's approval", "bisect_terrains needs a person's approval"],
            "reply": [
                {"tool": "launch_wave", "input": {"wave": 3}},
                wave("One more for free", baseline(5, 6), heavier(7, 5, 6)),
            ],
        },
        {
            "expect": ["no wave 3 was ever proposed", "wave 3 is proposed in this answer already"],
            "reply": [{"text": "It repeats the best on new seeds."}],
        },
    ]
    with scripted(project, *turns):
        process.start(project, terms("raise the tracking reward", waves=2, runs=4, gpu_hours=1, hours=1), "ada")
        until(lambda: Nights(project).newest().state == "ended", 300)
    night = Nights(project).newest()
    assert (night.outcome, night.why) == ("budget", "2 waves were granted and have run")
    assert night.waves == [2, 3]
    assert [judged.done for judged in night.judged] == [3, 3]
    assert night.judged[0].improved  # a weight of 6 lowers the error by 0.06 m/s
    # What ran is what was approved, and nothing else.
    ran = sorted(str(row.id) for row in rows(project))
    assert ran == ["exp003/s0", "exp003/s1", "exp004/s0", "exp005/s1", "exp005/s2", "exp006/s0"]
    assert all(row.state == "done" for row in rows(project))
    assert [(a.plan.id, a.state, a.decided_by) for a in Approvals(project).list()] == [
        (1, "pending", None),
        (2, "approved", "night"),
        (3, "approved", "night"),
    ]
    assert project.wave(3).plan().budget.gpu_hours < 1  # what the first wave left
    waiting = {(request.tool, request.state) for request in Requests(project).list()}
    assert waiting == {("retry_runs", "pending"), ("bisect_terrains", "pending")}
    ledger = project.ledger.read()
    assert [(d.name, d.refs["wave"]) for d in ledger if d.what == "plan" and d.refs["wave"] > 1] == [
        (MODEL, 2),
        (MODEL, 3),
    ]
    assert all((d.actor, d.name) == ("agent", "night") for d in ledger if d.what == "approve")
    assert Meter(project, ClaudeSettings()).day_usd() > 0  # all answers were counted, broken ones too


def test_an_endpoint_that_stays_overloaded_ends_the_night_with_the_reason(project):
    with scripted(project, *[OVERLOADED] * 6):  # asked three times, each with one attempt more
        Nights(project).grant(terms(), "ada")
        follow(project)
    night = Nights(project).newest()
    assert night.outcome == "failed"
    assert "the planner does not answer: 127.0.0.1 is overloaded" in night.why
    assert Approvals(project).list() == []
    assert rows(project) == []


def end_at_once(project: Project, monkeypatch: pytest.MonkeyPatch, turns: list[dict[str, Any]]) -> str:
    """Why a night ended whose planner is asked once, with pauses that a test would not outlive."""
    monkeypatch.setattr(loop, "PAUSES", (3600.0, 3600.0))
    with scripted(project, *turns):
        Nights(project).grant(terms(), "ada")
        follow(project)
    night = Nights(project).newest()
    assert night.outcome == "failed"
    assert rows(project) == []
    return night.why


def test_a_refused_key_ends_the_night_at_once(project, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-wrong-0123456789")
    why = end_at_once(project, monkeypatch, [])
    assert why == "the planner cannot be asked: 127.0.0.1 refused the key in ANTHROPIC_API_KEY: invalid key"


def test_a_refused_request_and_a_spent_day_end_the_night_at_once(project, monkeypatch):
    poor = {"status": 400, "error": "invalid_request_error", "message": "Your credit balance is too low."}
    assert end_at_once(project, monkeypatch, [poor]).endswith("(400): Your credit balance is too low")
    Meter(project, ClaudeSettings()).add(Tokens(output=10**7))
    assert "USD in the last 24 hours and 20.00 USD are allowed" in end_at_once(project, monkeypatch, [])


def test_a_plan_that_comes_after_the_hours_is_not_run(project):
    turns = [
        {"reply": [wave("Measure the noise", baseline(0, 1))]},
        {"expect": ["is before the person"], "reply": [{"text": "It measures the noise."}]},
    ]
    with scripted(project, *turns):
        granted = time.time() - 3600 + 5
        Nights(project, clock=lambda: granted).grant(terms(hours=1), "ada")
        follow(project, lambda: time.sleep(max(0.0, granted + 3600 - time.time())))
    night = Nights(project).newest()
    assert (night.outcome, night.why) == ("budget", "the 1 hours are over")
    (approval,) = Approvals(project).list()
    assert (approval.state, approval.why) == ("rejected", "the 1 hours are over")
    assert rows(project) == []


def test_a_plan_that_a_person_makes_meanwhile_is_not_taken_for_the_nights(project):
    turns = [
        {"reply": [wave("Measure the noise", baseline(0, 1))]},
        {"reply": [{"text": "It measures the noise."}]},
        {"expect": ["wave 1 waits for the person's approval"], "reply": [{"text": "Ada is at it herself."}]},
        {"expect": ["propose one, or it ends here"], "reply": [{"text": "I leave it to Ada."}]},
    ]
    with scripted(project, *turns):
        Nights(project).grant(terms(), "ada")
        follow(project, lambda: Approvals(project).propose(a_plan(), by="ada"))
    night = Nights(project).newest()
    assert (night.outcome, night.waves) == ("stuck", [])
    assert night.why.endswith("I leave it to Ada")
    assert FOOTNOTE not in night.why
    (approval,) = Approvals(project).list()
    assert (approval.state, approval.plan.planner) == ("pending", "offline")  # ada's, still hers to decide
    assert rows(project) == []
