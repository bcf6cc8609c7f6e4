"""What becomes of runs that a cluster executes: read from their records, and asked of its scheduler."""

from __future__ import annotations

import sys
import time

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs import wakeup
from wavebook_tools.jobs.engines import ClusterEngine
from wavebook_tools.jobs.engines.base import EngineReport, EngineState
from wavebook_tools.jobs.recovery import final_event, start_time
from wavebook_tools.jobs.store import LOCAL, QueuedRun, QueueStore
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.states import ACTIVE_STATES

CLUSTER_INTERVAL = 1.0
"""How often the records of runs on a cluster are looked at [s]."""

CLUSTER_POLL = 5.0
"""How often the cluster's scheduler is asked [s]; one that is to take out a waiting run at each look."""

CLUSTER_PATIENCE = 10.0
"""How long a shared file system may take to show a run's end after its scheduler told it [s]."""

ABSENT_INTERVAL = 30.0
"""How often wavebook.toml is looked at again where it does not name the cluster of a run under way any more [s]."""


class ClusterWatch:
    """Follows the runs of a project that are on a cluster."""

    def __init__(self, project: Project, store: QueueStore) -> None:
        self.project = project
        self.store = store
        self._gone: dict[str, float] = {}
        self._polled = 0.0

    def look(self, cluster: ClusterEngine | None) -> tuple[list[tuple[str, str | None]], float | None]:
        """What has happened since the last look.

        Returns:
            The runs that have ended, each with the scheduler's words where its record does not tell; when to look
            again [s], None where no run is on a cluster.
        """
        runs = [run for run in self.store.in_states(*ACTIVE_STATES) if run.engine != LOCAL and run.native]
        if not runs:
            self._gone.clear()
            return [], None
        if cluster is None:
            return [], ABSENT_INTERVAL
        ended: list[tuple[str, str | None]] = []
        left = []
        for run in runs:
            record = RunRecord(self.project.root / run.folder)
            if run.started is None and (started := start_time(record)) is not None:
                self.store.set_started(run.id, started)
                wakeup.wake(self.project, wakeup.NIGHT)  # from now on it costs
            if final_event(record) is not None:
                ended.append((run.id, None))
            elif run.engine == cluster.name:
                left.append(run)
        taken_out = any(run.cancel_by is not None and run.started is None for run in left)
        if time.monotonic() - self._polled <= CLUSTER_POLL and not taken_out:
            return ended, CLUSTER_INTERVAL
        self._polled = time.monotonic()
        try:
            reports = cluster.engine.poll([run.native for run in left if run.native])
        except WavebookError as error:
            complain(error)  # nothing is known, so nothing has ended
            for run in left:
                self._tell(run, f"not known how it goes: {error}")
            return ended, CLUSTER_POLL
        for run in left:
            report = reports.get(run.native or "")
            if report is not None and self._take_over(run, report):
                ended.append((run.id, report.message))
        return ended, CLUSTER_INTERVAL

    def _take_over(self, run: QueuedRun, report: EngineReport) -> bool:
        """Note where a run is; whether it is gone for so long that its record will not tell any more."""
        if report.devices and ",".join(report.devices) != run.device:
            self.store.set_device(run.id, ",".join(report.devices))
        waits = report.message if report.state is EngineState.PENDING else None
        self._tell(run, waits)
        if report.state is not EngineState.ENDED:
            return False
        if not report.placed and run.started is None:
            return True  # nothing has executed it, so its record has nothing more to tell
        since = self._gone.setdefault(run.id, time.monotonic())
        return time.monotonic() - since > CLUSTER_PATIENCE

    def _tell(self, run: QueuedRun, message: str | None) -> None:
        if message != run.message and run.cancel_by is None:
            self.store.set_message(run.id, message)


def complain(error: Exception) -> None:
    """Say in the dispatcher's log what keeps the queue from moving."""
    print(time.strftime("%Y-%m-%d %H:%M:%S"), error, file=sys.stderr, flush=True)
