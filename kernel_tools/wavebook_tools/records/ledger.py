"""ledger.jsonl: everything that decided anything, append-only."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from wavebook_tools.errors import WavebookError
from wavebook_tools.records.plan import Document

Actor = Literal["human", "agent", "watchdog"]


class Decision(Document):
    """One line of the ledger."""

    t: float = Field(default_factory=lambda: round(time.time(), 3), description="Unix seconds")
    actor: Actor
    name: str = Field(description="The person's user name, the planner's name, or the watchdog's finding")
    what: str = Field(description="What was decided: plan, approve, reject, launch, cancel, retry, verdict, …")
    why: str = ""
    refs: dict[str, Any] = Field(default_factory=dict, description="What it concerns: wave, runs, approval, evidence")


class Ledger:
    """The append-only list of decisions of a project."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, actor: Actor, name: str, what: str, *, why: str = "", **refs: Any) -> Decision:
        """Append one decision and return it.

        Raises:
            WavebookError: The ledger cannot be written. What it would have recorded must then not be done.
        """
        decision = Decision(actor=actor, name=name, what=what, why=why, refs=refs)
        line = json.dumps(decision.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise WavebookError(f"cannot write the ledger {self.path}: {error.strerror or error}") from error
        return decision

    def read(self) -> list[Decision]:
        """All decisions, oldest first; a damaged line is passed over."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        decisions = []
        for line in lines:
            try:
                decisions.append(Decision.model_validate_json(line))
            except ValueError:
                continue
        return decisions
