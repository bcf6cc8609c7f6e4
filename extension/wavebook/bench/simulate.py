"""Environment steps a second, by the simulator's own benchmark in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from wavebook.bench.machine import describe
from wavebook.bench.progress import console
from wavebook_tools.errors import WavebookError


def measure(device: str) -> dict[str, Any]:
    """Run ``wavebook_locomotion.bench`` and return its figures with the machine they come from.

    Raises:
        WavebookError: The benchmark failed; the end of what it printed is told.
    """
    command = [sys.executable, "-m", "wavebook_locomotion.bench", "simulate", "--device", device, "--json"]
    with console.status("stepping"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WavebookError(f"the simulator's benchmark failed: {done.stderr[-2000:]}")
    return {"benchmark": "simulate", "machine": describe(), **json.loads(done.stdout)}
