"""The process that moves a project's queue: it places runs on devices and notices when they end.

One lives per project, elected by a file lock, and only while there are runs. Killing it harms no run: the next one
takes over, since everything it knows stands in the database and in the leases.

    python -m wavebook_tools.jobs.dispatcher PROJECT
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs import leases, wakeup
from wavebook_tools.jobs.devices import Device, list_devices, select_devices
from wavebook_tools.jobs.environment import without_secrets
from wavebook_tools.jobs.processes import ProcessIdentity, end_marked
from wavebook_tools.jobs.recovery import finish_from_record
from wavebook_tools.jobs.store import QueuedRun, QueueStore
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunState

ACTIVE_STATES = (RunState.STARTING, RunState.RUNNING, RunState.EVALUATING)

LEASE_RETRY = 0.5
"""How often a lease that another project or user holds is tried again [s]."""

ELECTION_PATIENCE = 5.0
"""How long a new dispatcher waits for one that is just ending [s]."""


class Dispatcher:
    """Moves the queue of one project until it is empty."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.store = QueueStore(project)
        self.wake = wakeup.listen(project)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.wake, selectors.EVENT_READ, None)
        self.concluding: dict[int, subprocess.Popen[bytes]] = {}

    def run(self) -> None:
        """Work until nothing is queued and nothing runs."""
        for run in self.store.in_states(*ACTIVE_STATES):
            self._adopt(run)
        while True:
            waiting = self._place()
            if not self.store.in_states(RunState.QUEUED, *ACTIVE_STATES) and not self.concluding:
                return
            self._wait(LEASE_RETRY if waiting else None)

    def _place(self) -> bool:
        """Start what can be started; True where a run waits for a device that somebody else holds."""
        queued = self.store.in_states(RunState.QUEUED)
        if not queued:
            return False
        try:
            devices = list_devices()
        except WavebookError as error:
            print(error, file=sys.stderr, flush=True)
            return True
        waiting = False
        taken: set[str] = set()
        for run in queued:
            if run.cancel_by is not None:
                self._finish(run, RunState.CANCELLED, f"cancelled by {run.cancel_by} before it started")
                continue
            try:
                wanted = [d for d in select_devices(run.devices, devices) if d.id not in taken]
            except UsageError as error:
                self._finish(run, RunState.FAILED, str(error))
                continue
            for device in wanted:
                lease = leases.acquire(device.id, f"{run.id} in {self.project.root}")
                taken.add(device.id)
                if lease is not None:
                    self._start(run, device, lease)
                    break
            else:
                waiting = True
                if len(taken) >= len(devices):
                    break
        return waiting

    def _start(self, run: QueuedRun, device: Device, lease: int) -> None:
        folder = self.project.root / run.folder
        try:
            if not self.store.start(run.id, device.id):
                return  # cancelled in between
            environment = {
                **without_secrets(os.environ),
                "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
                "CUDA_VISIBLE_DEVICES": device.id if device.kind == "gpu" else "",
            }
            folder.mkdir(parents=True, exist_ok=True)
            with open(folder / "log.txt", "ab") as log:
                # The supervisor inherits the lease's descriptor and with it the lease, for as long as it lives.
                supervisor = [sys.executable, "-m", "wavebook_tools.jobs.supervisor"]
                process = subprocess.Popen(
                    [*supervisor, str(self.project.root), run.id, str(lease)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=[lease],
                    cwd=folder,
                    env=environment,
                )
        except OSError as error:
            self._finish(run, RunState.FAILED, f"the run could not be started: {error}")
            return
        finally:
            os.close(lease)
        identity = ProcessIdentity.of(process.pid)
        self.store.set_supervisor(run.id, str(identity))
        self._watch(run.id, process.pid)

    def _adopt(self, run: QueuedRun) -> None:
        """Go on with a run that an earlier dispatcher started."""
        identity = ProcessIdentity.parse(run.supervisor) if run.supervisor else None
        if identity is not None and identity.alive():
            self._watch(run.id, identity.pid)
        else:
            self._ended(run.id)

    def _watch(self, run_id: str, pid: int) -> None:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended(run_id)
            return
        self.selector.register(descriptor, selectors.EVENT_READ, (run_id, pid))

    def _ended(self, run_id: str) -> None:
        """A supervisor has ended: normally it gave the run its final state; one that was killed did not."""
        run = self.store.get(run_id)
        if run is None:
            return
        folder = self.project.root / run.folder
        end_marked(folder)
        if not run.state.final:
            finish_from_record(self.store, run, RunRecord(folder))
        self._conclude(run.wave)

    def _finish(self, run: QueuedRun, state: RunState, message: str) -> None:
        record = RunRecord(self.project.root / run.folder)
        with contextlib.suppress(OSError), contextlib.closing(EventWriter(record.events_path)) as events:
            events.write("state", state=state, message=message)
        self.store.finish(run.id, state, message=message)
        self._conclude(run.wave)

    def _conclude(self, wave_id: int) -> None:
        """Once a wave's last run has ended, write its comparison and report in a process of its own."""
        if not all(run.state.final for run in self.store.of_wave(wave_id)) or wave_id in self.concluding:
            return
        process = subprocess.Popen(
            [sys.executable, "-m", "wavebook_tools.comparison", str(self.project.root), str(wave_id)],
            stdin=subprocess.DEVNULL,
            cwd=self.project.root,
        )
        self.concluding[wave_id] = process
        self.selector.register(os.pidfd_open(process.pid), selectors.EVENT_READ, (None, process.pid))

    def _wait(self, timeout: float | None) -> None:
        for key, _ in self.selector.select(timeout):
            if key.data is None:
                wakeup.drain(self.wake)
                continue
            run_id, pid = key.data
            self.selector.unregister(key.fd)
            os.close(key.fd)
            with contextlib.suppress(ChildProcessError):  # an adopted one is not our child
                os.waitpid(pid, 0)
            if run_id is None:
                self.concluding = {wave: p for wave, p in self.concluding.items() if p.pid != pid}
            else:
                self._ended(run_id)


def elect(project: Project) -> int | None:
    """Take the project's dispatcher lock; None where another dispatcher goes on working."""
    path = project.state_path / "dispatcher.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + ELECTION_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            # Another one lives. If it listens it has been woken and sees our run; if not, it is just ending.
            if wakeup.wake(project) or time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.02)


def main() -> None:
    """Serve the queue of the project named on the command line."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # an ignored SIGCHLD would be inherited through exec
    project = Project(Path(sys.argv[1]))
    while True:
        lock = elect(project)
        if lock is None:
            return
        dispatcher = Dispatcher(project)
        dispatcher.run()
        os.close(dispatcher.wake)
        os.close(lock)
        # A run that was queued between the last look and the closing of the pipe has woken nobody.
        left = dispatcher.store.in_states(RunState.QUEUED)
        dispatcher.store.close()
        if not left:
            return


if __name__ == "__main__":
    main()
