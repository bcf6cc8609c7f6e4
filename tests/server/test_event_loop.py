"""No route holds the server's event loop up, whatever a project has grown to."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.test_panels import index
from tests.projects import draw_wave, many
from wavebook.agent.chat import Chat
from wavebook_tools.records.project import Project

LONGEST = 0.05
"""The most that one turn of the event loop may take [s]."""

ROUNDS = 3
"""A route that seems slow is called so often; its quickest call counts, because other processes share the machine."""

ROUTES = [
    "project",
    "waves",
    "waves/1",
    "runs/exp001/s0",
    "runs/exp001/s0/metrics?points=1000",
    "runs/exp001/s0/events",
    "runs/exp001/s0/log",
    "gpus",
    "comparison?waves=1",
    "comparison/curves?waves=1&metric=Train/mean_reward",
    "comparison/page?waves=1",
    "chat",
    "conversations",
    "approvals",
    "budget",
    "requests",
    "templates",
]


@contextmanager
def turns() -> Iterator[list[float]]:
    """How long the turns of the event loop take meanwhile [s]."""
    taken: list[float] = []
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.perf_counter()
        run(handle)
        taken.append(time.perf_counter() - began)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", timed)
        yield taken


@pytest.fixture
def project(jp_root_dir: Path) -> Project:
    """501 runs in three waves, and a conversation of 400 messages."""
    experiments = many(501)
    for wave in range(3):
        project = draw_wave(jp_root_dir, experiments[56 * wave : 56 * (wave + 1)], wave=wave + 1, iterations=4)
    index(project)
    chat = Chat(project)
    for number in range(200):
        chat.append("human", f"Question {number}")
        chat.append("agent", "An answer with some words. " * 40)
    return project


async def test_500_runs_and_400_messages_hold_no_route_up(project, jp_fetch):
    slow = {}
    for route in ROUTES:
        path, _, query = route.partition("?")
        params = dict(pair.split("=") for pair in query.split("&") if pair)
        quickest = float("inf")
        for _ in range(ROUNDS):
            with turns() as taken:
                answer = await jp_fetch("wavebook", "api", *path.split("/"), params=params, request_timeout=120)
            assert answer.code == 200
            quickest = min(quickest, max(taken))
            if quickest < LONGEST:
                break
        else:
            slow[route] = quickest
    assert slow == {}, "these routes work on the event loop [s]"


async def test_a_collection_of_garbage_passes_over_what_a_server_keeps(project, jp_fetch):
    # Drawing makes so many objects that full collections come about, and each holds the loop up while it walks all.
    await jp_fetch("wavebook", "api", "comparison", params={"waves": "1"}, request_timeout=120)
    kept, left = gc.get_freeze_count(), len(gc.get_objects())
    assert kept > 200_000, "what was imported before the server answered, and Bokeh"
    assert left < kept / 2
