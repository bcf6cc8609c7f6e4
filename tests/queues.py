"""Queues of projects that nobody looks at any more."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

from wavebook_tools.jobs.processes import DISPATCHER

WORKERS = {DISPATCHER, "wavebook_tools.comparison"}


def end_queues(folder: Path) -> None:
    """End the queue of a project, or of all that lie in a folder, and the comparison of a wave that it has begun.

    A comparison takes seconds of a core, and a queue that is left goes on to the next.
    """
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if WORKERS & {*command} and any(f"{word}/".startswith(f"{folder}/") for word in command):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
