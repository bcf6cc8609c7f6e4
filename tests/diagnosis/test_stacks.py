"""Stacks of real processes, in the states in which a run hangs."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from wavebook_tools.diagnosis.stacks import FAULT_FILE, MOST_CHARACTERS, stacks

Start = Callable[[str], psutil.Process]

SLEEPING = """
import threading, time
def iterate():
    print("ready", flush=True)
    time.sleep(600)
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
iterate()
"""

NATIVE = """
import ctypes, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
library = ctypes.PyDLL(None)  # holds Python's lock, as a careless driver does
def step_of_the_physics():
    print("ready", flush=True)
    while True:
        library.pause()
step_of_the_physics()
"""

SPINNING = """
def spin():
    print("ready", flush=True)
    while True:
        pass
spin()
"""

LISTENING = """
import faulthandler, os, signal
from pathlib import Path
faulthandler.register(signal.SIGUSR2, file=open(Path(os.environ["WAVEBOOK_RUN_FOLDER"], "{file}"), "a"))
"""

WITHOUT_PTRACE = """
import ctypes, sys
from pathlib import Path
CAP_SYS_PTRACE, PR_CAPBSET_DROP = 19, 24
assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0) == 0
import os
code = "import sys; from pathlib import Path; from wavebook_tools.diagnosis.stacks import stacks; "
code += "print(stacks(int(sys.argv[1]), Path(sys.argv[2])))"
os.execv(sys.executable, [sys.executable, "-c", code, *sys.argv[1:]])
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(code: str) -> psutil.Process:
        environment = {**os.environ, "WAVEBOOK_RUN_FOLDER": str(tmp_path)}
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return psutil.Process(process.pid)

    yield run
    for process in started:
        process.kill()
        process.communicate()


def part_of(text: str, process: psutil.Process) -> str:
    assert f"process {process.pid}:" in text
    return text.partition(f"process {process.pid}:")[2].partition("==== process")[0]


def test_a_stopped_process(start: Start) -> None:
    process = start(SLEEPING)
    process.suspend()
    while process.status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    part = part_of(stacks(os.getpid()), process)
    assert "iterate (<string>:" in part
    assert "(stopped)" in part
    assert process.status() == psutil.STATUS_STOPPED  # looked at, not woken


@pytest.mark.parametrize(("code", "where"), [(NATIVE, "step_of_the_physics"), (SPINNING, "spin")])
def test_a_process_that_does_not_come_back(start: Start, code: str, where: str) -> None:
    process = start(code)
    part = part_of(stacks(os.getpid()), process)
    assert f"{where} (<string>:" in part
    if code is NATIVE and "--native" in part.partition("py-spy dump")[2].splitlines()[0]:
        assert "pause" in part
    assert process.is_running()


def test_every_process_below_the_root_and_every_thread(start: Start) -> None:
    processes = [start(SLEEPING) for _ in range(2)]
    text = stacks(os.getpid())
    for process in processes:
        assert part_of(text, process).count("\nThread ") == 2


@pytest.mark.parametrize("code", [NATIVE, SLEEPING])
def test_without_the_right_to_trace_the_process_tells_itself(start: Start, tmp_path: Path, code: str) -> None:
    if os.geteuid() != 0 or not _holds_ptrace():
        pytest.skip("only who may trace can give that up for this test")
    process = start(LISTENING.replace("{file}", FAULT_FILE) + code)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PTRACE, str(os.getpid()), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    part = part_of(done.stdout, process)
    assert "Permission" in part or "not permitted" in part
    assert "-- faulthandler" in part
    assert "in step_of_the_physics" in part if code is NATIVE else "in iterate" in part
    assert process.is_running()


def test_without_the_right_to_trace_no_signal_goes_to_who_does_not_listen(start: Start, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not _holds_ptrace():
        pytest.skip("only who may trace can give that up for this test")
    process = start(SLEEPING)
    arguments = [sys.executable, "-c", WITHOUT_PTRACE, str(os.getpid()), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    part = part_of(done.stdout, process)
    assert "faulthandler" not in part
    assert "State:" in part
    assert process.is_running()


def test_deep_recursion_is_cut(start: Start) -> None:
    process = start(
        "import sys, time\nsys.setrecursionlimit(10**6)\n"
        "def a_function_with_quite_a_long_name_so_that_its_frames_take_room(depth):\n"
        "    if depth == 0:\n        print('ready', flush=True)\n        time.sleep(600)\n"
        "    a_function_with_quite_a_long_name_so_that_its_frames_take_room(depth - 1)\n"
        "a_function_with_quite_a_long_name_so_that_its_frames_take_room(5000)"
    )
    part = part_of(stacks(os.getpid()), process)
    assert len(part) <= MOST_CHARACTERS
    assert "State:" in part


def test_a_root_that_is_gone_is_said() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert str(gone.pid) in stacks(gone.pid)


def _holds_ptrace() -> bool:
    return ctypes.CDLL(None).prctl(23, 19, 0, 0, 0) == 1  # PR_CAPBSET_READ, CAP_SYS_PTRACE
