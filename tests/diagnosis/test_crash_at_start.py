"""Runs that fail before their first iteration, with the errors that Python and torch really give."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .conftest import WatchedRun


def last_line_of(code: str) -> str:
    """What Python says last when it fails to run ``code``."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "cause", "action", "names"),
    [
        ("import isaaclab_that_is_not_there.envs", "missing module", "install", ["isaaclab_that_is_not_there"]),
        ("from json import no_such_name", "import failed", "install", []),
        ("import ctypes; ctypes.CDLL('libEGL-none.so.1')", "missing library", "install", ["libEGL-none.so.1"]),
        ("open('/nowhere/dhav1.usda')", "missing asset", "correct_plan", ["/nowhere/dhav1.usda"]),
    ],
)
def test_what_python_says(run: WatchedRun, code: str, cause: str, action: str, names: list[str]) -> None:
    run.events.write("state", state="running", phase="compiling")
    finding = run.explain(f"cell 4: {last_line_of(code)}")
    assert finding is not None
    assert finding.kind == "crash at start"
    assert finding.evidence["cause"] == cause
    assert finding.evidence["phase"] == "compiling"
    assert finding.suggestion is not None
    assert finding.suggestion.action == action
    assert list(finding.suggestion.names) == names


def test_torch_without_a_device(run: WatchedRun) -> None:
    torch = pytest.importorskip("torch", reason="the simulator's packages are not installed")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises((RuntimeError, AssertionError)) as error:
        torch.zeros(1, device="cuda:0")
    finding = run.explain(f"cell 4: {error.type.__name__}: {error.value}")
    assert finding is not None
    assert finding.evidence["cause"] in ("driver", "device")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("RuntimeError: The NVIDIA driver on your system is too old (found version 11040).", "driver"),
        ("RuntimeError: CUDA driver version is insufficient for CUDA runtime version", "driver"),
        ("AcceleratorError: CUDA error: invalid device ordinal", "device"),
        ("RuntimeError: No CUDA GPUs are available", "device"),
        ("FileNotFoundError: Unable to find the file: robots/dhav1.usd", "missing asset"),
        ("ConfigurationError: there is no checkpoint runs/model_99.pt", "missing asset"),
        ("ConfigurationError: there is no parameter 'env.rewards.feet_gate'", "plan"),
    ],
)
def test_what_else_is_known(run: WatchedRun, error: str, cause: str) -> None:
    finding = run.explain(f"cell 4: {error}")
    assert finding is not None
    assert finding.evidence["cause"] == cause


def test_a_cause_that_is_not_known_still_tells_that_nothing_was_trained(run: WatchedRun) -> None:
    finding = run.explain("cell 4: KeyError: 'gait'")
    assert finding is not None
    assert finding.evidence["cause"] is None
    assert "KeyError: 'gait'" in finding.message
    assert finding.suggestion is not None
    assert finding.suggestion.action == "stop_branch"


def test_the_failed_cell_counts_more_than_the_log(run: WatchedRun) -> None:
    run.log("ImportError: an optional package is missing, going on without\n")
    finding = run.explain("cell 4: ConfigurationError: there is no reward 'feet_gate'")
    assert finding is not None
    assert finding.evidence["cause"] == "plan"


def test_what_was_printed_before_is_no_cause_of_another_error(run: WatchedRun) -> None:
    run.log("ImportError: an optional package is missing, going on without\nMemoryError: a cache is off\n")
    finding = run.explain("cell 4: KeyError: 'gait'")
    assert finding is not None
    assert finding.kind == "crash at start"
    assert finding.evidence["cause"] is None


def test_an_exception_behind_the_exception_is_found_in_the_log(run: WatchedRun) -> None:
    code = "try:\n    import not_there_at_all\nexcept ImportError as e:\n    raise RuntimeError('no simulator') from e"
    run.log(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr)
    finding = run.explain("cell 4: RuntimeError: no simulator")
    assert finding is not None
    assert finding.evidence["cause"] == "missing module"


def test_a_failure_after_iterations_is_no_crash_at_start(run: WatchedRun) -> None:
    run.train(3)
    assert run.explain("cell 10: ImportError: cannot import name 'x'") is None
