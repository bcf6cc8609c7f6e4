"""A control group may hold several runs: that one was killed for memory does not say why another failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavebook_tools.diagnosis.out_of_memory import OutOfMemory
from wavebook_tools.diagnosis.signature import Failure, RunView

KILLS = ("1 killed for memory in the control group /sys/fs/cgroup/runs",)


@pytest.mark.parametrize(
    ("exit_code", "error", "own"),
    [
        (-9, "the worker was ended by SIGKILL; see log.txt", True),
        (1, "the worker ended with exit code 1; see log.txt", True),  # its kernel was killed
        (1, "cell 10: DeadKernelError: Kernel died", True),
        (1, "cell 10: ChildFailedError: train FAILED; rank 1 (local_rank: 1) exitcode: -9 (pid: 4711)", True),
        (1, "cell 10: RuntimeError: DataLoader worker (pid 4711) is killed by signal: Killed.", True),
        (1, "cell 4: ConfigurationError: there is no task 'Flta'", False),
        (1, "cell 10: ValueError: The rewards returned by the environment contain NaN values.", False),
    ],
)
def test_a_kill_for_memory_explains_only_who_was_killed(exit_code: int, error: str, own: bool, tmp_path: Path) -> None:
    failure = Failure(exit_code, error, log="", out_of_memory_kills=KILLS)
    finding = OutOfMemory().explain(failure, RunView(tmp_path, num_envs=4096))
    assert (finding is not None) == own
    if finding is not None:
        assert finding.evidence["kills"] == list(KILLS)
        assert finding.suggestion is not None
        assert finding.suggestion.num_envs == 2048
