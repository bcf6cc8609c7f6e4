"""When silence is a hang."""

from __future__ import annotations

import time

import pytest

from wavebook_tools.records.states import RunState

from .conftest import MakeRun


@pytest.mark.parametrize("phase", ["starting", "compiling", "training", "evaluating"])
def test_each_phase_has_its_patience(make_run: MakeRun, phase: str) -> None:
    run = make_run(**{"starting": 500, "compiling": 500, "training": 500, "evaluating": 500, phase: 20})
    run.events.write("state", state="running", phase=phase)
    if phase == "training":
        run.train()
    assert run.wait(19) == []
    (hang,) = run.wait(4)[:1]
    assert hang.kind == "hang"
    assert hang.ends_run
    assert hang.state is RunState.HUNG
    assert hang.evidence["phase"] == phase


def test_the_first_iteration_may_take_as_long_as_compiling(make_run: MakeRun) -> None:
    run = make_run(training=10, compiling=60)
    run.events.write("state", state="running", phase="training")
    assert run.wait(59) == []
    assert run.train() == []
    assert run.wait(12)[0].evidence["last_iteration"] == 0


def test_printing_is_no_sign_of_life_while_it_trains(make_run: MakeRun) -> None:
    run = make_run(training=20)
    run.train(3)
    found = []
    for _ in range(25):
        run.events.write("log", stream="stdout", text="still waiting\n")
        run.log("still waiting\n")
        found += run.look()
    assert found[0].kind == "hang"
    assert found[0].suggestion is not None
    assert found[0].suggestion.num_envs == 2048


def test_printing_is_a_sign_of_life_while_it_compiles(make_run: MakeRun) -> None:
    run = make_run(compiling=20)
    run.events.write("state", state="running", phase="compiling")
    for _ in range(40):
        run.log("Module newton.kernels load on device took 900 ms\n")
        assert run.look() == []
    assert run.wait(25)[0].kind == "hang"


def test_an_alert_of_our_own_is_no_sign_of_life(make_run: MakeRun) -> None:
    run = make_run(starting=20)
    found = []
    for _ in range(25):
        run.events.write("alert", finding="foreign process", message="there is another")
        found += run.look()
    assert found[0].kind == "hang"


def test_time_in_which_the_watchdog_itself_did_not_run_does_not_count(make_run: MakeRun) -> None:
    run = make_run(training=60)
    run.train()
    assert run.look(seconds=8 * 3600) == []  # a suspended machine
    assert run.train(start=1) == []
    assert run.wait(59) == []


def test_a_changed_wall_clock_is_no_silence(make_run: MakeRun) -> None:
    run = make_run(training=30)
    run.train()
    for iteration, jump in enumerate([0, 86400, -86400, 3600], start=1):
        run.events.append({"t": time.time() + jump, "kind": "metric", "iteration": iteration, "values": {"a": 1.0}})
        assert run.wait(20) == []


def test_copied_iterations_of_a_resumed_run_are_not_its_own(make_run: MakeRun) -> None:
    run = make_run(training=10, compiling=60, starting=60)
    for iteration in range(50):
        run.events.metric(iteration, {"Train/mean_reward": 1.0})
    run.look()
    assert run.watchdog.last_iteration is None
    run.events.write("state", state="running", phase="training")
    assert run.wait(50) == []
    run.train(start=50)
    assert run.watchdog.last_iteration == 50


def test_after_the_cell_that_trains_the_patience_is_the_evaluations(make_run: MakeRun) -> None:
    run = make_run(training=10, evaluating=40)
    run.train(2)
    run.events.write("cell", index=9, cells=14, status="done", seconds=1.0)
    run.events.write("cell", index=11, cells=14, status="running")
    assert run.wait(35) == []
    assert run.wait(10)[0].evidence["phase"] == "evaluating"


def test_nonsense_as_patience_is_left_out(make_run: MakeRun) -> None:
    run = make_run(training=-1, evaluating=float("nan"))
    run.train()
    assert run.wait(100) == []
