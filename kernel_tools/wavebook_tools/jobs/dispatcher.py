"""The process that moves a project's queue: it places runs on devices and notices when they end.

One lives per project, elected by a file lock, and only while there are runs. Killing it harms no run: the next one
takes over, since everything it knows stands in the database and in the leases.

    python -m wavebook_tools.jobs.dispatcher PROJECT
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path

from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs import wakeup
from wavebook_tools.jobs.budgets import WaveBudgets
from wavebook_tools.jobs.cancellation import request_cancellation
from wavebook_tools.jobs.cluster_watch import CLUSTER_POLL, ClusterWatch, complain
from wavebook_tools.jobs.conclusions import Conclusions
from wavebook_tools.jobs.devices import CPU, Device, list_devices
from wavebook_tools.jobs.engines import ClusterEngine, cancel, cluster_for
from wavebook_tools.jobs.engines.base import Placement
from wavebook_tools.jobs.engines.local import LocalEngine
from wavebook_tools.jobs.engines.unreachable import ClusterUnreachableError
from wavebook_tools.jobs.environment import of_run, without_secrets
from wavebook_tools.jobs.leases import Lease
from wavebook_tools.jobs.notes import EndingNotes
from wavebook_tools.jobs.options import QueueOptions, read_options
from wavebook_tools.jobs.preflight import WAITS, Preflights
from wavebook_tools.jobs.processes import SUPERVISOR, ProcessIdentity, end_marked, find_supervisor
from wavebook_tools.jobs.recovery import Finish, finish_from_record, has_started
from wavebook_tools.jobs.slots import Slots, Waiting
from wavebook_tools.jobs.store import LOCAL, QueuedRun, QueueStore
from wavebook_tools.jobs.timing import Timings, patience, read_timing
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.files import free_bytes
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.states import ACTIVE_STATES, RunState

LEASE_RETRY = 0.5
"""How often a device that another project or user holds is tried again [s]."""

DEVICES_RETRY = 5.0
"""How old what the driver told about the devices may be while runs wait for one that is held elsewhere [s]."""

DISK_RETRY = 30.0
"""How often the disk is looked at while runs wait for space [s]."""

FIRST_PATIENCE = 5.0
"""How long a dispatcher that was started ahead of a submission waits for it [s]."""

ELECTION_PATIENCE = 5.0
"""How long a new dispatcher waits for one that is just ending [s]."""


class Dispatcher:
    """Moves the queue of one project until it is empty."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.store = QueueStore(project)
        self.database = project.database_path.stat().st_ino
        self.timings = Timings(project)
        self.budgets = WaveBudgets(project, self.store)
        self.local = LocalEngine()
        self.cluster_watch = ClusterWatch(project, self.store)
        self.wake = wakeup.listen(project)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.wake, selectors.EVENT_READ, None)
        self.conclusions = Conclusions(project, self.store)
        self.preflights = Preflights(project)
        self.notes = EndingNotes()
        self.leases: dict[str, list[Lease]] = {}
        """Leases of runs that this dispatcher started. It keeps them beside the supervisor until nothing is left of the
        run: a device is free when its last process is gone, not when the supervisor is."""
        self._options = QueueOptions()
        self._options_time = -1.0
        self._cluster: ClusterEngine | None = None
        self._devices: list[Device] = []
        self._devices_time = 0.0

    def run(self) -> None:
        """Work until nothing is queued and nothing runs."""
        expected, made_up = time.monotonic() + FIRST_PATIENCE, False
        for run in self.store.in_states(*ACTIVE_STATES):
            self._adopt(run)
        while True:
            self._end_cancelled()
            timeouts = [self._place(), self._limit_waves(), self._look_at_cluster()]
            if self.store.unfinished() or self.conclusions or self.notes:
                expected = 0.0
            elif time.monotonic() > expected:
                if made_up:
                    return
                made_up = True
                self.conclusions.make_up()
                self._conclude_next()
                continue
            else:
                timeouts.append(expected - time.monotonic() + 0.01)
            self._wait(min((timeout for timeout in timeouts if timeout is not None), default=None))
            if not self._database_in_place():
                return  # rebuilt under our feet: the next one reads the new one

    def _database_in_place(self) -> bool:
        try:
            return self.project.database_path.stat().st_ino == self.database
        except OSError:
            return False

    def close(self) -> None:
        """Close what is open; the runs go on."""
        self.selector.close()
        os.close(self.wake)
        self.timings.close()
        self.store.close()

    @property
    def options(self) -> QueueOptions:
        """What wavebook.toml says now; where it is wrong, what it said before."""
        try:
            changed = self.project.settings_path.stat().st_mtime
        except OSError:
            changed = 0.0
        if changed != self._options_time:
            self._options_time = changed
            try:
                self._options = read_options(self.project)
                self._cluster = cluster_for(self.project.settings()) if self._options.cluster else None
            except WavebookError as error:
                complain(error)
        return self._options

    @property
    def cluster(self) -> ClusterEngine | None:
        """The cluster that the settings name; None for this machine."""
        return self._cluster if self.options.cluster else None

    def _end_cancelled(self) -> None:
        """Runs that were cancelled while they waited never start."""
        for run in self.store.cancelled_in_queue():
            if run.cancellation is not None:
                self._finish(run, RunState.CANCELLED, run.cancellation.message(" before it started"))

    def _place(self) -> float | None:
        """Start what can be started; returns when to try again although nobody calls [s]."""
        kinds = self.store.requests()
        if not kinds:
            return None
        cluster = self.cluster
        slots = None
        if cluster is None:
            try:
                slots = self._slots()
            except WavebookError as error:
                complain(error)
                return DISK_RETRY
        blocked: set[tuple[str, int, bool]] = set()
        retry: float | None = None
        for run in self.store.queued():
            if len(blocked) >= kinds:
                break
            if run.request in blocked or run.cancel_by is not None:
                continue
            reason = self._full() or self._no_space()
            if reason is not None:
                self._note(run, reason)
                return DISK_RETRY
            if not self._code_tried(run):
                continue
            if slots is None:
                assert cluster is not None
                reason = self._submit(run, cluster)
                if reason is not None:
                    self._note(run, reason)
                    return CLUSTER_POLL
                continue
            try:
                taken = slots.take(run)
            except UsageError as error:
                self._finish(run, RunState.FAILED, str(error))
                continue
            if isinstance(taken, Waiting):
                self._note(run, taken.reason)
                blocked.add(run.request)
                if taken.elsewhere:
                    retry = LEASE_RETRY
            else:
                self._start(run, taken)
        return retry

    def _slots(self) -> Slots:
        """The devices; what the driver tells is asked anew only where it matters, since asking takes milliseconds."""
        now = time.monotonic()
        if not self._devices or now - self._devices_time > DEVICES_RETRY:
            self._devices, self._devices_time = list_devices(), now
        return Slots(
            self._devices,
            project=str(self.project.root),
            runs_per_gpu=self.options.runs_per_gpu,
            foreign=self.options.foreign,
        )

    def _full(self) -> str | None:
        limit = self.options.max_running
        if limit is not None and len(self.store.in_states(*ACTIVE_STATES)) >= limit:
            return f"waits for one of {limit} running runs to end (queue.max_running)"
        return None

    def _no_space(self) -> str | None:
        needed = self.options.free_disk_bytes
        free = free_bytes(self.project.root)
        if free < needed:
            return f"waits for disk space: {free / 1e9:.3g} GB are free, {needed / 1e9:.3g} GB must stay"
        return None

    def _code_tried(self, run: QueuedRun) -> bool:
        """Whether nothing of a run's own code speaks against placing it; its preflight is started where none was."""
        folder = self.project.root / run.folder
        outcome = self.preflights.outcome(run.id, folder)
        if outcome is None:
            self._follow(self.preflights.start(run.id, folder))
            self._note(run, WAITS)
        elif not outcome.passed:
            self._finish(run, RunState.FAILED, f"its code failed the preflight: {outcome.message}")
        return outcome is not None and outcome.passed

    def _note(self, run: QueuedRun, reason: str) -> None:
        if run.message != reason:
            self.store.set_message(run.id, reason)

    def _start(self, run: QueuedRun, taken: list[Lease]) -> None:
        """Start a run on this machine, on the devices that it has been given."""
        names = [lease.device for lease in taken]
        descriptors = [descriptor for lease in taken for descriptor in lease.descriptors]
        if not self.store.start(run.id, ",".join(names), devices=run.devices):
            for lease in taken:
                lease.release()
            return  # cancelled or sent elsewhere in between
        gpus = [name for name in names if name != CPU]
        command = self._command(run, names[0])
        command += ["--devices", ",".join(names), "--leases", ",".join(map(str, descriptors))]
        placement = Placement(
            run.id, self.project.root / run.folder, command, of_run(os.environ, gpus), names, len(gpus)
        )
        try:
            native = self.local.submit(placement, descriptors)
        except WavebookError as error:
            for lease in taken:
                lease.release()
            self._finish(run, RunState.FAILED, str(error))
            return
        self.leases[run.id] = taken
        self.store.set_native(run.id, native)
        wakeup.wake(self.project, wakeup.NIGHT)  # from now on it costs
        self._watch(run.id, ProcessIdentity.parse(native).pid)

    def _submit(self, run: QueuedRun, cluster: ClusterEngine) -> str | None:
        """Hand a run to the cluster's scheduler; returns why it stays in the queue where that is not reached."""
        if not self.store.start(run.id, "", cluster.name):
            return None
        folder = self.project.root / run.folder
        gpus = 0 if run.devices == [CPU] else run.gpus
        limits = RunRecord(folder).spec_fields().get("limits")
        hours = limits.get("hours") if isinstance(limits, dict) else None
        command = self._command(run, cluster.name)
        placement = Placement(run.id, folder, command, without_secrets(os.environ), run.devices, gpus, hours)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            native = cluster.engine.submit(placement)
        except ClusterUnreachableError as error:
            self.store.requeue(run.id)
            return f"waits for {cluster.name}: {error}"
        except (WavebookError, OSError) as error:
            self._finish(run, RunState.FAILED, f"{cluster.name} did not take the run: {error}")
            return None
        self.store.set_native(run.id, native)
        return None

    def _command(self, run: QueuedRun, device: str) -> list[str]:
        """The command line of a run's supervisor, with how long the run may be silent: learned from earlier runs like
        it on such a device, unless a person has set it."""
        learned = patience(self.timings.like(run.task, self._kind(device), run.num_envs))
        return [
            *(sys.executable, "-m", SUPERVISOR, str(self.project.root / run.folder)),
            *("--patience", json.dumps({**learned, **self.options.patience})),
        ]

    def _kind(self, device: str) -> str:
        return next((known.name for known in self._devices if known.id == device), device)

    def _adopt(self, run: QueuedRun) -> None:
        """Go on with a run that an earlier dispatcher started."""
        if run.engine != LOCAL:
            if run.native is None:  # killed between the two: whether the scheduler has it is not known
                self._ended(run.id)
            return
        folder = self.project.root / run.folder
        identity = ProcessIdentity.parse(run.native) if run.native else find_supervisor(folder)
        if identity is not None and identity.alive():
            if run.native is None:
                self.store.set_native(run.id, str(identity))
            self._watch(run.id, identity.pid)
        elif run.native is None and not has_started(RunRecord(folder)):
            self.store.requeue(run.id)  # the earlier dispatcher was killed between taking it up and starting it
        else:
            self._ended(run.id)

    def _watch(self, run_id: str, pid: int) -> None:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended(run_id)
            return
        self.selector.register(descriptor, selectors.EVENT_READ, (run_id, pid))

    def _look_at_cluster(self) -> float | None:
        """Take over what is told of runs on a cluster; returns when to look again [s]."""
        ended, again = self.cluster_watch.look(self.cluster)
        for run_id, message in ended:
            self._ended(run_id, message)
        return again

    def _limit_waves(self) -> float | None:
        """End the runs of waves that have spent their GPU hours; returns when the next wave will have [s]."""
        exceeded, soonest = self.budgets.exceeded()
        for wave in exceeded:
            why = self.budgets.message(wave)
            for run in self.store.of_wave(wave):
                if not run.state.final and self.store.request_cancel(run.id, "the watchdog", why):
                    self.project.ledger.append("watchdog", "budget", "cancel", why=why, wave=wave, runs=[run.id])
                    request_cancellation(RunRecord(self.project.root / run.folder), "the watchdog", why)
                    with contextlib.suppress(WavebookError):  # it reads the request where the call does not reach it
                        cancel(run, self.cluster)
        if exceeded:
            self._end_cancelled()
        return soonest

    def _ended(self, run_id: str, engine_message: str | None = None) -> None:
        """A supervisor has ended: normally its record tells the final state; that of one that was killed does not."""
        run = self.store.get(run_id)
        if run is None:
            return
        folder = self.project.root / run.folder
        if run.engine == LOCAL:
            end_marked(folder)
        for lease in self.leases.pop(run_id, []):
            lease.close()
        if not run.state.final:
            finish = finish_from_record(self.store, run, RunRecord(folder), engine_message)
            if finish.state is RunState.DONE:
                self._learn(run, RunRecord(folder))
            elif not finish.from_record:
                self._note_lost(run, finish)
        self.conclude(run.wave)

    def _note_lost(self, run: QueuedRun, finish: Finish) -> None:
        """Nobody is left who could note in the notebook and the ledger how the run ended."""
        self.notes.add(RunRecord(self.project.root / run.folder), finish.state, finish.message)
        self._note_next()
        if finish.state is RunState.FAILED:
            with contextlib.suppress(WavebookError):  # a full disk, perhaps the cause
                self.project.ledger.append(
                    "watchdog", "lost supervisor", "end run", why=finish.message or "", wave=run.wave, runs=[run.id]
                )

    def _note_next(self) -> None:
        with contextlib.suppress(OSError):
            self._follow(self.notes.start_next())

    def _learn(self, run: QueuedRun, record: RunRecord) -> None:
        with contextlib.suppress(Exception):  # an estimate that is missing must not stop the queue
            timing = read_timing(record.events())
            kind = self._kind((run.device or "").split(",")[0]) if run.engine == LOCAL else run.engine
            if timing is not None:
                self.timings.add(run.id, run.task, kind, run.num_envs, timing)

    def _finish(self, run: QueuedRun, state: RunState, message: str) -> None:
        record = RunRecord(self.project.root / run.folder)
        with contextlib.suppress(OSError), contextlib.closing(EventWriter(record.events_path)) as events:
            events.write("state", state=state, message=message)
        self.store.finish(run.id, state, message=message)
        self.conclude(run.wave)

    def conclude(self, wave_id: int) -> None:
        """A run has ended: tell the night, and once it was the wave's last have comparison and report written."""
        wakeup.wake(self.project, wakeup.NIGHT)
        self.conclusions.add(wave_id)
        self._conclude_next()

    def _conclude_next(self) -> None:
        self._follow(self.conclusions.start_next())

    def _follow(self, pid: int | None) -> None:
        """Learn of the end of a child that is no run."""
        if pid is not None:
            self.selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (None, pid))

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
            if run_id is None and self.preflights.ended(pid):
                continue  # the next look places its runs
            if self.notes.ended(pid):
                self._note_next()
                continue
            if run_id is None:
                self.conclusions.ended()
                self._conclude_next()
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
        dispatcher.close()
        os.close(lock)
        # A run that was queued between the last look and the closing of the pipe has woken nobody.
        with contextlib.closing(QueueStore(project)) as store:
            if not store.unfinished():
                return


if __name__ == "__main__":
    main()
