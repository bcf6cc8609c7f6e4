"""What an iteration of training costs, by the simulator's own benchmark in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from wavebook.bench.machine import describe
from wavebook.bench.progress import console
from wavebook_tools.errors import WavebookError


def measure(
    *,
    task: str,
    num_envs: int,
    iterations: int,
    device: str,
    profile: str | None = None,
    bare: bool = True,
    mjlab: str | None = None,
) -> dict[str, Any]:
    """Run ``wavebook_locomotion.bench train`` and return its figures with the machine they come from.

    Args:
        task: Task that is trained.
        num_envs: Robots.
        iterations: Iterations that are timed.
        device: ``cpu`` or ``cuda:N``.
        profile: File for tables of what takes the time; none where absent.
        bare: Whether Isaac Lab's own training of the task is measured beside.
        mjlab: The Python of an environment with mjlab, whose Go1 is then trained beside; None to leave it out.

    Raises:
        WavebookError: The benchmark failed; the end of what it printed is told.
    """
    words = ["--task", task, "--num-envs", str(num_envs), "--iterations", str(iterations), "--device", device, "--json"]
    if profile is not None:
        words += ["--profile", profile]
    if not bare:
        words.append("--without-bare")
    if mjlab is not None:
        words += ["--mjlab", mjlab]
    command = [sys.executable, "-m", "wavebook_locomotion.bench", "train", *words]
    with console.status("training"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise WavebookError(f"the training benchmark failed: {done.stderr[-2000:]}")
    document = {"machine": describe(), **json.loads(done.stdout)}
    if done.returncode != 0:  # the figures were printed before the profile was taken
        document["profile_error"] = done.stderr[-2000:]
    return document
