"""What the processes between a submission and its run do without, so that it starts soon."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = ("tempfile", "hashlib", "pydantic", "psutil", "nbformat", "importlib.metadata")


@pytest.mark.parametrize("module", ["wavebook_tools.jobs.dispatcher", "wavebook_tools.jobs.supervisor"])
def test_nothing_slow_is_imported_before_a_run_starts(module: str) -> None:
    code = f"import sys, {module}; print(*({{*sys.argv[1:]}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code, *SLOW], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
