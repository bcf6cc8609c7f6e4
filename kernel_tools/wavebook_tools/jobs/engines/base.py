"""What the queue asks of whatever executes runs: three calls.

An engine only places the run's supervisor. State, log, metrics, exit and limits come from the run's folder, which the
supervisor writes and the queue reads, so nothing above the engine depends on where a run is executed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class EngineState(StrEnum):
    """Where the engine has a run; how it ended is told by its record."""

    PENDING = "pending"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class EngineReport:
    """What an engine knows of one run."""

    state: EngineState
    message: str | None = None
    """Why it waits or how it ended, in the engine's words (``Resources``, ``NODE_FAIL``, …)."""
    devices: tuple[str, ...] = ()
    """What the engine placed it on, where it tells."""
    placed: bool = True
    """False where it surely never was on a device: it was taken out while it waited."""


@dataclass(frozen=True)
class Placement:
    """One run to be placed."""

    run_id: str
    """The run's name, as ``exp001/s0``."""
    folder: Path
    """The run's folder: working directory, and where ``log.txt`` takes what the supervisor prints."""
    command: Sequence[str]
    """The supervisor's command line."""
    environment: Mapping[str, str]
    """Variables that the supervisor needs, without secrets. On another machine they are added to what is there."""
    devices: Sequence[str]
    """What the run asks for: ``['auto']``, ``['cpu']`` or names; on one machine, the devices that it has been given."""
    gpus: int = 1
    """How many devices the run trains on; 0 for the CPU alone."""
    hours: float | None = None
    """Limit on its time, for a scheduler that wants one [h]."""


class Engine(Protocol):
    """Executes runs."""

    def submit(self, placement: Placement) -> str:
        """Place a run and return the engine's own name of it, which survives a restart of the caller.

        Raises:
            WavebookError: The engine does not answer, or refuses the run; the message tells why.
        """
        ...

    def cancel(self, native_id: str) -> None:
        """Ask the run's supervisor to end its tree (SIGTERM), or take a waiting run out; one that has ended is fine.

        Raises:
            WavebookError: The engine does not answer.
        """
        ...

    def poll(self, native_ids: Sequence[str]) -> dict[str, EngineReport]:
        """Where these runs are. A run that the engine has forgotten has ended.

        Raises:
            WavebookError: The engine does not answer; then nothing is known, and no run counts as ended.
        """
        ...
