"""Runs on this machine: each supervisor is a process of its own, which outlives whoever started it."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.engines.base import EngineReport, EngineState, Placement
from wavebook_tools.jobs.processes import ProcessIdentity, start_child


class LocalEngine:
    """Starts supervisors below the caller, in sessions of their own."""

    def submit(self, placement: Placement, descriptors: Sequence[int] = ()) -> str:
        """Start a run's supervisor.

        Args:
            descriptors: The leases of its devices, which it inherits, and with them the devices, for as long as it
                lives.

        Returns:
            The supervisor's identity: pid, start time and the machine's boot.

        Raises:
            WavebookError: It cannot be started.
        """
        try:
            placement.folder.mkdir(parents=True, exist_ok=True)
            with open(placement.folder / "log.txt", "ab") as log:
                pid = start_child(
                    placement.command,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=list(descriptors),
                    cwd=placement.folder,
                    env=dict(placement.environment),
                )
        except OSError as error:
            raise WavebookError(f"the run could not be started: {error.strerror or error}") from error
        return str(ProcessIdentity.of(pid))

    def cancel(self, native_id: str) -> None:
        """Ask a run's supervisor to end it; one that is gone is fine."""
        ProcessIdentity.parse(native_id).signal(signal.SIGTERM)

    def poll(self, native_ids: Sequence[str]) -> dict[str, EngineReport]:
        """Whether the supervisors live."""
        return {
            native: EngineReport(EngineState.RUNNING if ProcessIdentity.parse(native).alive() else EngineState.ENDED)
            for native in native_ids
        }
