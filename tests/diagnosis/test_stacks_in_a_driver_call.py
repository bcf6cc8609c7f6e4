"""Processes that wait in a call which is not given back, as every rank of a run does when a driver hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from wavebook_tools.diagnosis.stacks import stacks

# The parent of a child made by vfork sleeps uninterruptibly until that child is gone, like one that a driver holds.
WAITING = """
import ctypes, os
library = ctypes.CDLL(None)
print("ready", flush=True)
def step_of_the_physics():
    if library.vfork() == 0:
        while True:
            library.pause()
step_of_the_physics()
"""

RANKS = 4


@pytest.fixture
def ranks() -> Iterator[list[psutil.Process]]:
    started = [subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE) for _ in range(RANKS)]
    processes = [psutil.Process(rank.pid) for rank in started]
    try:
        for rank in started:
            assert rank.stdout is not None
            rank.stdout.readline()
        deadline = time.monotonic() + 10
        while any(process.status() != psutil.STATUS_DISK_SLEEP for process in processes):
            assert time.monotonic() < deadline, [process.status() for process in processes]
            time.sleep(0.02)
        yield processes
    finally:
        for process in [child for rank in processes for child in rank.children()] + processes:
            process.kill()
        for rank in started:
            rank.communicate()


def test_every_rank_is_looked_into_although_none_can_be_paused(ranks: list[psutil.Process]) -> None:
    text = stacks(os.getpid())
    for rank in ranks:
        part = text.partition(f"process {rank.pid}:")[2].partition("==== process")[0]
        assert "step_of_the_physics (<string>:" in part, part
        # An attempt to pause it takes a time limit each, and the limit of all is spent before the third rank.
        assert "not done after" not in part
