"""The request to end a run: a file in its folder, so that it reaches the run on whatever machine that is."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from wavebook_tools.records.files import FORMAT, write_json
from wavebook_tools.records.project import RunRecord


@dataclass(frozen=True)
class Cancellation:
    """Who wants a run ended, and why."""

    by: str
    why: str = ""

    def message(self, when: str = "") -> str:
        """How the end of the run is told: «cancelled by ana: a typo», with ``when`` after the name."""
        return f"cancelled by {self.by}{when}" + (f": {self.why}" if self.why else "")


def request_cancellation(record: RunRecord, by: str, why: str) -> None:
    """Write the request; the run's supervisor takes it up within a second, at once where it gets a signal.

    Raises:
        WavebookError: The folder cannot be written.
    """
    write_json(record.cancel_path, {"format": FORMAT, "t": round(time.time(), 3), "by": by, "why": why})


def read_cancellation(record: RunRecord) -> Cancellation | None:
    """The request, or None where nobody has made one."""
    try:
        document = json.loads(record.cancel_path.read_bytes())
        return Cancellation(str(document["by"]), str(document.get("why") or ""))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Cancellation("somebody")  # the file is there: that alone is the request
