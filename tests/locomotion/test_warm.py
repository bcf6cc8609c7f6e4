"""One process compiles while the others wait."""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import os
from pathlib import Path

import pytest

from wavebook_locomotion.warm import compiled_once


def compile_slowly(cache: Path, start: multiprocessing.synchronize.Barrier) -> None:
    start.wait()
    with compiled_once(cache, "kernels") as first:
        if first:
            (cache / f"compiled-by-{os.getpid()}").touch()
        else:
            assert list(cache.glob("compiled-by-*"))  # what it waited for is there


def test_of_processes_that_start_at_once_one_compiles(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    processes = [context.Process(target=compile_slowly, args=(tmp_path, start)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(list(tmp_path.glob("compiled-by-*"))) == 1


def test_after_a_failure_the_next_compiles(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), compiled_once(tmp_path, "kernels"):
        raise RuntimeError("the compiler failed")
    with compiled_once(tmp_path, "kernels") as first:
        assert first
    with compiled_once(tmp_path, "kernels") as first:
        assert not first


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    with compiled_once(tmp_path, "kernels") as first, compiled_once(tmp_path, "kernels", longest_wait=0.5) as second:
        assert first
        assert not second
