"""What the physics prints when it lacks room, and what tells that memory ran out."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import MakeRun, WatchedRun

SOLVER = "env.sim.physics.solver_cfg"


@pytest.mark.parametrize(
    ("line", "overrides"),
    [
        ("nefc overflow - please increase njmax to 212", {f"{SOLVER}.njmax": 265}),
        ("broadphase overflow - please increase nconmax to 40 or naconmax to 163840", {f"{SOLVER}.nconmax": 50}),
        ("narrowphase overflow - please increase nconmax to 40 or naconmax to 163840", {f"{SOLVER}.nconmax": 50}),
        (
            "Number of Newton contacts (163840) exceeded MJWarp limit (122880). Increase nconmax.",
            {f"{SOLVER}.nconmax": 50},
        ),
        ("CCD overflow - please increase naccdmax to 500", {}),
        ("njmax_nnz overflow - please increase njmax_nnz to 900", {}),
        ("contact match overflow: please increase Option.contact_sensor_maxmatch to 70", {}),
        ("nvmax overflow: world 3 needs 18 active DOFs but nvmax = 12 (behavior undefined)", {}),
    ],
)
def test_overflows_name_the_parameter_and_the_number(run: WatchedRun, line: str, overrides: dict[str, int]) -> None:
    run.train(2)
    run.log(f"{line}\n{line}\n")
    assert run.look() == []  # twice may be robots that fell over each other at a reset
    run.log(line + "\n")
    (finding,) = run.look()
    assert finding.kind == "constraint overflow"
    assert not finding.ends_run
    assert finding.suggestion is not None
    assert finding.suggestion.overrides == overrides
    run.log(f"{line}\n" * 1000)
    assert run.look() == []


def test_the_largest_number_counts(run: WatchedRun) -> None:
    for rows in (120, 400, 300):
        run.log(f"nefc overflow - please increase njmax to {rows}\n")
    (finding,) = run.look()
    assert finding.suggestion is not None
    assert finding.suggestion.overrides == {f"{SOLVER}.njmax": 500}


def test_the_solvers_own_messages_are_the_ones_that_are_known() -> None:
    found = importlib.util.find_spec("mujoco_warp")  # imported it would start Warp
    if found is None or found.origin is None:
        pytest.skip("the simulator's packages are not installed")
    source = (Path(found.origin).parent / "_src" / "forward.py").read_text()
    for message in (
        "nefc overflow - please increase njmax to %u",
        "broadphase overflow - please increase nconmax to %u or naconmax to %u",
        "narrowphase overflow - please increase nconmax to %u or naconmax to %u",
    ):
        assert message in source


def test_a_flood_of_output_is_read_in_bounded_pieces(run: WatchedRun) -> None:
    run.train(2)
    run.log("nefc overflow - please increase njmax to 212\n" * 1_000_000)
    (finding,) = run.look()
    assert finding.kind == "constraint overflow"
    assert finding.evidence["reports"] <= 100_000


@pytest.mark.parametrize(
    "error",
    [
        "OutOfMemoryError: CUDA out of memory. Tried to allocate 24.00 GiB. GPU 0 has a total capacity of 79.18 GiB",
        "RuntimeError: Failed to allocate 4294967296 bytes on device 'cuda:0'",
        "RuntimeError: CUDA error: out of memory",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory",
        "MemoryError: ",
    ],
)
@pytest.mark.parametrize("trained", [0, 7])
def test_memory_errors_suggest_half_the_environments(run: WatchedRun, error: str, trained: int) -> None:
    if trained:
        run.train(trained)
    finding = run.explain(f"cell 10: {error}")
    assert finding is not None
    assert finding.kind == "out of memory"
    assert finding.suggestion is not None
    assert finding.suggestion.num_envs == 2048


def test_warp_says_what_is_known_of_it(run: WatchedRun) -> None:
    warp = pytest.importorskip("warp", reason="the simulator's packages are not installed")
    with pytest.raises(RuntimeError) as error:
        warp.empty((1 << 20, 1 << 30), dtype=warp.uint8, device="cpu")
    finding = run.explain(f"cell 10: RuntimeError: {error.value}")
    assert finding is not None
    assert finding.kind == "out of memory"


def test_an_error_that_only_the_log_tells_is_found_there(run: WatchedRun) -> None:
    run.train(2)
    run.log("Traceback (most recent call last):\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB")
    finding = run.explain("the worker ended with exit code 1; see log.txt")
    assert finding is not None
    assert finding.kind == "out of memory"


def test_a_kill_alone_is_no_sign_of_exhausted_memory(run: WatchedRun) -> None:
    run.train(2)
    finding = run.explain("the worker was ended by SIGKILL; see log.txt", exit_code=-9)
    assert finding is not None
    assert finding.kind == "kernel died"


def test_a_kill_for_memory_is_told_by_the_control_group(
    run: WatchedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "memory.events"
    counter.write_text("low 0\nhigh 0\nmax 4\noom 1\noom_kill 3\n")
    monkeypatch.setattr("wavebook_tools.diagnosis.out_of_memory._counters", lambda: [counter])
    run.__post_init__()  # a watchdog that begins now
    run.train(2)
    counter.write_text("low 0\nhigh 0\nmax 9\noom 2\noom_kill 4\n")
    finding = run.explain("the worker was ended by SIGKILL; see log.txt", exit_code=-9)
    assert finding is not None
    assert finding.kind == "out of memory"
    assert json.dumps(finding.event())


def test_one_environment_cannot_be_halved(make_run: MakeRun) -> None:
    finding = make_run({"num_envs": 1}).explain("MemoryError: ")
    assert finding is not None
    assert finding.suggestion is not None
    assert finding.suggestion.action == "retry_seed"


TWO_BALLS = """
import mujoco, mujoco_warp
ball = '<body pos="{} 0 .09"><freejoint/><geom type="sphere" size=".1"/></body>'
plane = '<geom type="plane" size="1 1 .1"/>'
xml = "<mujoco><worldbody>" + plane + ball.format(0) + ball.format(0.5) + "</worldbody></mujoco>"
model = mujoco.MjModel.from_xml_string(xml)
data = mujoco_warp.make_data(model, nworld=2, njmax=4, nconmax=8)
for _ in range(3):
    mujoco_warp.step(mujoco_warp.put_model(model), data)
"""


@pytest.mark.sim
def test_an_overflow_of_the_real_physics(run: WatchedRun) -> None:
    """Two balls on the ground need eight rows and have four."""
    if importlib.util.find_spec("mujoco_warp") is None:
        pytest.skip("the simulator's packages are not installed")
    with open(run.folder / "log.txt", "wb") as log:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run([sys.executable, "-c", TWO_BALLS], stdout=log, stderr=log, env=environment, check=True)
    (finding,) = run.look()
    assert finding.kind == "constraint overflow"
    assert finding.suggestion is not None
    assert finding.suggestion.overrides == {f"{SOLVER}.njmax": 10}
