"""Looks at a run while it is under way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wavebook_tools.diagnosis.finding import Finding


class Watchdog:
    """Reads what a run appends to its events and tells what is wrong with it."""

    def __init__(self, folder: Path, *, patience: Mapping[str, float] | None = None) -> None:
        self.folder = folder

    def look(self) -> list[Finding]:
        """What is found since the last look."""
        return []

    def explain(self, *, exit_code: int, error: str | None) -> Finding | None:
        """Which known failure a run that failed shows, if any."""
        return None
