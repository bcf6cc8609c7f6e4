"""Claude in whole conversations: the real client against a local server, by scripts; the same against the real API."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.agent.conftest import a_plan
from tests.agent.messages_server import KEY, serving
from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent.approvals import Approvals
from wavebook.agent.chat import Message
from wavebook.agent.choice import ChosenPlanner
from wavebook.agent.claude import ClaudePlanner
from wavebook.agent.claude_history import FOOTNOTE
from wavebook.agent.claude_usage import DAY, Meter, Tokens
from wavebook.agent.planner import Part, Proposal, Request, TextDelta, ToolCall, ToolResult
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.planner_settings import ClaudeSettings
from wavebook_tools.records.project import Project
from wavebook_tools.records.settings import read_settings
from wavebook_tools.tasks import check_plan

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.yaml"))
SETTINGS = f'[training]\ntask = "{TASK}"\nnum_envs = 64\niterations = 60\n[devices]\nuse = ["cpu"]\n'


@pytest.fixture
def records(tmp_path: Path) -> Project:
    """A wave with a baseline and an experiment that failed."""
    project = Project.create(tmp_path / "project", SETTINGS)
    draw_wave(
        project.root,
        [
            Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True),
            Drawn("more-robots", {0: "failed"}, {"env.rewards.action_rate_l2.weight": -0.02}),
        ],
    )
    project.run("exp002/s0").log_path.write_text("step 1\ntorch.OutOfMemoryError: out of memory on cuda:0\n")
    return project


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    monkeypatch.setattr("wavebook.agent.claude_stream.FIRST_PAUSE", 0.01)


def play(planner: Any, body: str, history: list[Message] | None = None) -> list[Part]:
    async def collect() -> list[Part]:
        return [part async for part in planner.answer(Request(body, history or []))]

    return asyncio.run(collect())


def said(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def claude(project: Project, url: str, **settings: Any) -> ClaudePlanner:
    return ClaudePlanner(project, ClaudeSettings(base_url=url, **settings))


def results_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in request["messages"][-1]["content"] if block["type"] == "tool_result"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_conversations_go_as_their_scripts_say(path, records, tmp_path, key):
    script = yaml.safe_load(path.read_text())
    project = Project.create(tmp_path / "empty", SETTINGS) if script.get("project") == "empty" else records
    with serving(script["turns"]) as server:
        parts = play(claude(project, server.url), script["say"])
    assert server.refused == []
    assert server.turns == []
    streamed = [turn for turn in script["turns"] if "status" not in turn]
    for turn, request in zip(streamed, server.requests[len(script["turns"]) - len(streamed) :], strict=True):
        results = results_of(request)
        for wanted in turn.get("expect", {}).get("results", []):
            assert any(wanted in result["content"] for result in results), (wanted, results)
        if turn.get("expect", {}).get("failed"):
            assert any(result["is_error"] for result in results)
    calls = [part for part in parts if isinstance(part, ToolCall)]
    assert [part.name for part in calls] == script["outcome"]["tools"]
    assert {part.id for part in parts if isinstance(part, ToolResult)} == {part.id for part in calls}
    for wanted in script["outcome"]["said"]:
        assert wanted in said(parts)
    plans = [part.plan for part in parts if isinstance(part, Proposal)]
    assert len(plans) == script["outcome"]["proposal"]
    for plan in plans:
        check_plan(plan)
        assert plan.directive == script["say"]
        assert plan.planner == "claude-opus-5-5"
        assert plan.experiments[-1].overrides == script["outcome"]["overrides"]
    assert "tokens read" in said(parts)


@pytest.mark.skipif(
    not os.environ.get("WAVEBOOK_TEST_API_KEY"), reason="ANTHROPIC_API_KEY is not set: no real API to ask"
)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_real_api_takes_the_same_conversations(path, records, tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", os.environ["WAVEBOOK_TEST_API_KEY"])
    script = yaml.safe_load(path.read_text())
    project = Project.create(tmp_path / "empty", SETTINGS) if script.get("project") == "empty" else records
    parts = play(ClaudePlanner(project, ClaudeSettings(answer_usd=0.5)), script["say"])
    used = {part.name for part in parts if isinstance(part, ToolCall)}
    wanted = set(script["real"].get("some_tool_of", used))
    assert used & wanted or not wanted
    assert any(isinstance(part, Proposal) for part in parts) == script["real"]["proposal"]


def test_a_request_can_be_cached_thinks_and_tells_how_the_project_stands(records, key):
    turns = [{"reply": [{"tool": "project_status"}]}, {"reply": [{"text": "Fine."}]}]
    with serving(turns) as server:
        play(claude(records, server.url, effort="low"), "status?")
    first, second = server.requests
    assert first["thinking"] == {"type": "adaptive"}
    assert first["output_config"] == {"effort": "low"}
    assert first["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert first["messages"][-1]["content"][-1] == {
        "type": "text",
        "text": "status?",
        "cache_control": {"type": "ephemeral"},
    }
    assert "wave 1 (" in first["messages"][-1]["content"][0]["text"]
    # What was cached is sent again as it was, so that it is found.
    assert second["tools"] == first["tools"]
    assert second["system"] == first["system"]
    assert second["messages"][0]["content"][0] == first["messages"][0]["content"][0]


def test_a_secret_reaches_neither_the_model_nor_the_conversation(records, key, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "do-not-tell-anybody")
    records.run("exp002/s0").log_path.write_text(f"wandb: do-not-tell-anybody\nkey {KEY}\npassword=hunter2hunter2\n")
    turns = [{"reply": [{"tool": "read_log", "input": {"run": "exp002/s0"}}]}, {"reply": [{"text": "Read."}]}]
    with serving(turns) as server:
        parts = play(claude(records, server.url), "My password=correct-horse, read the log of exp002/s0")
    everything = f"{server.requests} {parts}"
    for secret in ("do-not-tell-anybody", KEY, "hunter2hunter2", "correct-horse"):
        assert secret not in everything
    assert "[redacted WANDB_API_KEY]" in everything


def test_a_long_conversation_is_summarised_once_and_loses_no_open_decision(records, key):
    history = [
        Message(id=number, time=0, sender="human" if number % 2 else "agent", body=f"message {number} " + "word " * 300)
        for number in range(1, 41)
    ]
    history[-1].body += f"{FOOTNOTE}12 tokens*"
    turns = [{"reply": [{"text": "SUMMARY: they want calm gaits."}]}, {"reply": [{"text": "Yes."}]}]
    with serving(turns) as server:
        told = said(play(claude(records, server.url, context_tokens=8000), "go on", history))
    assert "I now have a summary and its last 6 messages" in told.partition(FOOTNOTE)[2]
    summarised, asked = server.requests
    assert summarised["tool_choice"] == {"type": "none"}
    assert "message 1 " in str(summarised["messages"])
    text = str(asked["messages"])
    assert "they want calm gaits" in text
    assert "message 1 " not in text
    assert "message 40 " in text
    assert "12 tokens" not in text
    assert "wave 1 (" in text
    # The next answer finds the summary and asks for no other.
    with serving([{"reply": [{"text": "Still."}]}]) as server:
        told = said(play(claude(records, server.url, context_tokens=8000), "and now", history))
    assert "they want calm gaits" in str(server.requests[0]["messages"])
    assert "summary" not in told


def test_a_plan_is_known_by_its_number_after_its_message_was_summarised(records, key):
    approvals = Approvals(records)
    number = approvals.next_numbers()
    waiting = approvals.propose(a_plan(number.wave, int(number.experiment_id()[3:])))
    history = [
        Message(id=index, time=0, sender="human" if index % 2 else "agent", body=f"message {index} " + "word " * 300)
        for index in range(1, 41)
    ]
    history[1].approval = waiting.id
    turns = [{"reply": [{"text": "They talked."}]}, {"reply": [{"text": "Yes."}]}]
    with serving(turns) as server:
        play(claude(records, server.url, context_tokens=8000), "what waits for me?", history)
    assert f"as approval {waiting.id}" in str(server.requests[0]["messages"])
    assert f"wave {waiting.plan.id} waits for the person's approval (approval {waiting.id}" in str(
        server.requests[1]["messages"]
    )


def test_a_summary_that_says_nothing_takes_the_place_of_nothing(records, key):
    history = [
        Message(id=number, time=0, sender="human" if number % 2 else "agent", body=f"message {number} " + "word " * 300)
        for number in range(1, 41)
    ]
    with serving([{"reply": [{"text": " "}]}, {"reply": [{"text": "Yes."}]}]) as server:
        play(claude(records, server.url, context_tokens=8000), "go on", history)
    assert "message 1 " in str(server.requests[1]["messages"])
    assert "Summary of the conversation" not in str(server.requests[1]["messages"])


def test_old_results_are_dropped_where_space_is_short(records, key):
    step = {"reply": [{"tool": "project_status"}], "usage": {"input_tokens": 9000}}
    with serving([*[step] * 7, {"reply": [{"text": "Done."}]}]) as server:
        play(claude(records, server.url, context_tokens=8000), "look often")
    contents = [
        b["content"] for m in server.requests[-1]["messages"] for b in m["content"] if b["type"] == "tool_result"
    ]
    assert [content.startswith("(This result was dropped") for content in contents] == [True] * 3 + [False] * 4


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"answer_tokens": 5000}, "answer_tokens"),
        ({"answer_usd": 0.001}, "answer_usd"),
        ({"day_usd": 0.001}, "day_usd"),
    ],
)
def test_an_answer_ends_at_its_limits(settings, told, records, key):
    with serving([{"reply": [{"tool": "project_status"}]}] * 20) as server, pytest.raises(WavebookError, match=told):
        play(claude(records, server.url, **settings), "go on for ever")
    assert len(server.requests) < 5


def test_an_answer_ends_after_its_requests(records, key):
    with serving([{"reply": [{"tool": "project_status"}]}] * 5) as server:
        parts = play(claude(records, server.url, requests=3), "go on for ever")
    assert "I stopped after 3 requests" in said(parts)


def test_money_is_counted_over_a_day_and_restarts(records):
    now = [1_800_000_000.0]
    settings = ClaudeSettings(day_usd=1.0)
    meter = Meter(records, settings, clock=lambda: now[0])
    meter.add(Tokens(input=100_000, output=10_000, cache_read=1_000_000, cache_write=10_000))
    assert meter.usd == pytest.approx(0.4 + 0.2 + 0.2 + 0.05)
    meter.check()
    meter.add(Tokens(output=10_000))
    with pytest.raises(WavebookError, match="day_usd"):
        Meter(records, settings, clock=lambda: now[0]).check()
    now[0] += DAY + 1
    Meter(records, settings, clock=lambda: now[0]).check()


def test_an_overloaded_endpoint_is_told_after_the_last_attempt(records, key):
    turns = [{"status": 529, "error": "overloaded_error"}] * 4
    with serving(turns) as server, pytest.raises(WavebookError, match="overloaded"):
        play(claude(records, server.url, retries=2), "hello")
    assert len(server.requests) == 3


def test_an_endpoint_that_takes_a_request_and_says_nothing_is_given_up(records, key, monkeypatch):
    monkeypatch.setattr("wavebook.agent.claude_stream.SILENCE", 0.2)
    monkeypatch.setattr("wavebook.agent.claude_stream.DESCRIBING", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(WavebookError, match=r"127\.0\.0\.1 was silent for 0\.2 s, 2 times"):
            play(claude(records, url, retries=1), "Hello?")


def test_what_is_said_after_a_tool_is_a_paragraph_of_its_own(records, key):
    turns = [
        {"reply": [{"text": "I look at the waves of this project."}, {"tool": "project_status"}]},
        {"reply": [{"tool": "project_status"}]},
        {"reply": [{"text": "One wave ran, and it is done."}]},
    ]
    with serving(turns) as server:
        text = said(play(claude(records, server.url), "status?"))
    assert text.startswith("I look at the waves of this project.\n\nOne wave ran, and it is done.")


def test_an_answer_that_breaks_off_is_told_of_by_itself_alone(records, key, caplog):
    """On the command line a warning would stand in the middle of what is said."""
    turns = [
        {"reply": [{"text": "I look at the waves of this project."}], "cut_after": 4},
        {"reply": [{"text": "One."}]},
    ]
    with serving(turns) as server:
        parts = play(claude(records, server.url), "status?")
    assert said(parts).count("once more") == 1
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_refused_key_and_an_unknown_model_are_told(records, key, monkeypatch):
    with serving([]) as server:
        with pytest.raises(WavebookError, match=r"no model 'claude-opus-5-4'.*Did you mean 'claude-opus-5-5'"):
            play(claude(records, server.url, model="claude-opus-5-4"), "hello")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-wrong-wrong-wrong")
        with pytest.raises(WavebookError, match="refused the key in ANTHROPIC_API_KEY") as error:
            play(claude(records, server.url), "hello")
    assert "sk-ant" not in str(error.value)
    monkeypatch.setattr("wavebook.agent.claude.describe_model", nothing)
    with pytest.raises(WavebookError, match="no answer from 127"):
        play(claude(records, "http://127.0.0.1:9", retries=1), "hello")


async def nothing(*_: object) -> None:
    return None


def test_the_planner_follows_key_and_settings(records, monkeypatch):
    planner = ChosenPlanner(records)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert planner.label == "Offline planner"
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    assert planner.name == "claude-opus-5-5"
    assert planner.label == "Claude (claude-opus-5-5)"
    text = records.settings_path.read_text()
    records.settings_path.write_text(f'{text}[planner.claude]\nmodel = "m"\nbase_url = "https://models.example"\n')
    assert planner.label == "Claude (m at models.example)"
    records.settings_path.write_text(f'{text}[planner]\nname = "offline"\n')
    assert planner.label == "Offline planner"
    records.settings_path.write_text(f'{text}[planner]\nname = "claude"\n')
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(WavebookError, match="ANTHROPIC_API_KEY is not set"):
        play(planner, "hello")
    records.settings_path.write_text("[planner\n")
    assert planner.name == "claude-opus-5-5"  # the project's problems tell what is wrong


@pytest.mark.parametrize(
    ("address", "told"),
    [("http://models.example", "https"), ("ftp://x", "no address"), ("https://me:secret@x", "password")],
)
def test_addresses_that_would_give_the_key_away_are_refused(address, told, tmp_path):
    path = tmp_path / "wavebook.toml"
    path.write_text(f'[planner.claude]\nbase_url = "{address}"\n')
    with pytest.raises(WavebookError, match=told):
        read_settings(path)
