"""Progress of a benchmark, on standard error: standard output is one JSON document and nothing else."""

from __future__ import annotations

from functools import partial

from rich.console import Console
from rich.progress import track

console = Console(stderr=True)

steps = partial(track, console=console)
"""Goes through a sequence and shows how far it is and how long it takes."""
