"""The root of a run's process tree: starts the worker, watches it, ends the whole tree, and says how the run ended.

    python -m wavebook_tools.jobs.supervisor RUN_FOLDER [--devices A,B] [--leases FD,FD] [--patience JSON]

It does as little as possible, so that nothing of what a run does can bring it down: the notebook is executed by the
worker, a process below it. As a subreaper it inherits whatever a kernel leaves behind, so none of it survives the run.

It knows the run's folder alone, not the queue's database, so it works the same on another machine: the input is
``spec.json`` and, once somebody asks for an end, ``cancel.json``; the output is ``events.jsonl`` and the notebook. The
leases are inherited descriptors that hold the run's devices.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavebook_tools.jobs.cancellation import read_cancellation
from wavebook_tools.jobs.leases import Lease, keep
from wavebook_tools.jobs.processes import become_subreaper
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.files import free_bytes
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.states import RUN_FOLDER_VARIABLE, RunState

if TYPE_CHECKING:  # imported once the worker is on its way: a run need not wait for what watches it
    from wavebook_tools.diagnosis.finding import Finding
    from wavebook_tools.diagnosis.watchdog import Watchdog

LOOK_INTERVAL = 1.0
"""How often the watchdog looks, and how late a limit may be noticed [s]."""

LEASE_INTERVAL = 10
"""Looks between two signs that the leases are in use."""

INTERRUPT_GRACE = 0.8
"""How long an interrupted notebook may take to stop by itself [s]. A training stops within an iteration's Python code;
a kernel that is compiling does not react at all, and nothing of it would be saved by waiting."""

SAVE_GRACE = 3.0
"""How long the worker may take to save the notebook after its kernel was killed [s]."""

UNKILLABLE_PATIENCE = 60.0
"""How long to wait for processes that do not die of SIGKILL, as with a driver that hangs [s]."""

DEVICE_PATIENCE = 20.0
"""How long a driver may take to free a device whose processes have ended [s]."""


@dataclass(frozen=True)
class Ending:
    """How a run ends."""

    state: RunState
    message: str | None = None


class Supervisor:
    """Runs one run."""

    def __init__(
        self, record: RunRecord, *, devices: Sequence[str], leases: Sequence[int], patience: Mapping[str, float]
    ) -> None:
        self.record = record
        self.devices = list(devices)
        self.leases = list(leases)
        self.events = EventWriter(record.events_path)
        self.spec = record.spec_fields()
        limits = self.spec.get("limits")
        self.limits: dict[str, Any] = limits if isinstance(limits, dict) else {}
        self.patience = patience
        self.watchdog: Watchdog
        self.asked_to_end = False
        self.started = time.monotonic()
        self.foreign: set[int] = set()
        self._looks = 0

    def run(self) -> RunState:
        """Execute the run to its end and return its final state."""
        signals = self._listen()
        device = ",".join(self.devices) or None
        self.events.write("state", state=RunState.STARTING, device=device, pid=os.getpid())
        worker = subprocess.Popen(
            [sys.executable, "-m", "wavebook_tools.jobs.worker", str(self.record.path)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # The worker holds the devices too: should this process be killed, they stay taken until it has ended.
            pass_fds=self.leases,
            env={**os.environ, RUN_FOLDER_VARIABLE: str(self.record.path)},
        )
        self.watchdog = self._new_watchdog()
        self._note_foreign_processes()
        ending = self._watch(worker, signals)
        if worker.poll() is None:
            self._interrupt(worker)
        left = self._end_tree()
        return self._finish(ending or self._own_end(worker.returncode), left)

    def _listen(self) -> int:
        """Turn the request to end, SIGTERM, into something that can be waited for."""
        readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writable)

        def ask(number: int, frame: object) -> None:
            self.asked_to_end = True

        signal.signal(signal.SIGTERM, ask)
        signal.signal(signal.SIGINT, ask)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        become_subreaper()
        return readable

    def _new_watchdog(self) -> Watchdog:
        from wavebook_tools.diagnosis.watchdog import Watchdog

        return Watchdog(self.record.path, patience=self.patience)

    def _watch(self, worker: subprocess.Popen[bytes], signals: int) -> Ending | None:
        """Wait for the worker; returns why the run is to be ended before, None where it ended by itself."""
        with selectors.DefaultSelector() as selector:
            selector.register(signals, selectors.EVENT_READ)
            selector.register(os.pidfd_open(worker.pid), selectors.EVENT_READ)
            while worker.poll() is None:
                if self.asked_to_end or self.record.cancel_path.exists():
                    return self._asked()
                ending = self._over_limit() or self._found()
                if ending is not None:
                    return ending
                selector.select(LOOK_INTERVAL)
        return None

    def _asked(self) -> Ending:
        request = read_cancellation(self.record)
        if request is None:
            return Ending(RunState.FAILED, "ended from outside (the machine, its session or its scheduler ended it)")
        return Ending(RunState.CANCELLED, request.message())

    def _over_limit(self) -> Ending | None:
        hours = self.limits.get("hours")
        if hours is not None and time.monotonic() - self.started > hours * 3600:
            return self._limit("time limit", f"the run took longer than its limit of {hours:g} h", hours=hours)
        self._looks += 1
        if self._looks % LEASE_INTERVAL == 1:
            keep(self.leases)
        # At each look, which costs one call: a run that writes fast fills the rest of a disk within seconds.
        free, needed = free_bytes(self.record.path), self.limits.get("free_disk_bytes", 0)
        if free < needed:
            message = f"{free / 1e9:.3g} GB of disk space are left, less than the limit of {needed / 1e9:.3g} GB"
            return self._limit("disk full", message, free_bytes=free)
        return None

    def _limit(self, finding: str, message: str, **evidence: Any) -> Ending:
        from wavebook_tools.diagnosis.finding import Finding

        self._alert(Finding(kind=finding, message=message, evidence=evidence, ends_run=True, state=RunState.FAILED))
        return Ending(RunState.FAILED, message)

    def _found(self) -> Ending | None:
        """What the watchdog says; the first finding that ends the run is the one that counts."""
        for finding in self.watchdog.look():
            if finding.ends_run:
                if finding.state is RunState.HUNG:
                    self._save_stacks()
                self._alert(finding)
                return Ending(finding.state, finding.message)
            self._alert(finding)
        return None

    def _alert(self, finding: Finding) -> None:
        with contextlib.suppress(OSError):  # a full disk must not keep the run from being ended
            self.events.write("alert", **finding.event())
        with contextlib.suppress(Exception):
            # Heavy to import, and most runs never need it.
            Project.find(self.record.path).ledger.append(
                "watchdog",
                finding.kind,
                "end run" if finding.ends_run else "alert",
                why=finding.message,
                wave=self.spec.get("wave"),
                runs=[str(self.record.id)],
                suggestion=finding.suggestion.as_dict() if finding.suggestion else None,
            )

    def _save_stacks(self) -> None:
        from wavebook_tools.diagnosis.stacks import stacks

        with contextlib.suppress(Exception):  # the run is ended all the same
            self.record.stacks_path.write_text(
                stacks(os.getpid(), self.record.path), encoding="utf-8", errors="replace"
            )

    def _interrupt(self, worker: subprocess.Popen[bytes]) -> None:
        """Ask first: the worker interrupts the kernel and saves the notebook. Then kill."""
        import psutil

        worker.terminate()
        if _wait(worker, INTERRUPT_GRACE):
            return
        # The kernel ignores it. Without its kernel the worker saves what the notebook holds so far.
        for child in psutil.Process(worker.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        if not _wait(worker, SAVE_GRACE):
            worker.kill()
            worker.wait()

    def _end_tree(self) -> str | None:
        """End all that is left below us; returns what could not be ended, for people."""
        from wavebook_tools.jobs.processes import end_descendants

        left = end_descendants(patience=UNKILLABLE_PATIENCE)
        if left:
            return f"processes {left} do not die and may still hold {', '.join(self.devices)}; restart the machine"
        return self._device_still_held()

    def _device_still_held(self) -> str | None:
        """Ask the driver until nothing of ours is on the devices; returns what stays, for people."""
        deadline = time.monotonic() + DEVICE_PATIENCE
        while True:
            held = {device: pids for device, pids in self._ours().items() if pids}
            if not held:
                return None
            if time.monotonic() > deadline:
                return f"the driver still shows processes of this run on its devices: {held}"
            time.sleep(0.05)

    def _on_devices(self) -> dict[str, dict[int, bool | None]]:
        """Processes on the run's devices, and whether each belongs to a run; None for one that cannot be asked."""
        if not any(device.startswith(("GPU-", "MIG-")) for device in self.devices):
            return {}
        from wavebook_tools.errors import WavebookError
        from wavebook_tools.jobs.devices import processes_on
        from wavebook_tools.jobs.processes import belongs_to_a_run

        try:
            found = processes_on(self.devices)
        except WavebookError:
            return {}
        return {device: {pid: belongs_to_a_run(pid) for pid in pids} for device, pids in found.items()}

    def _ours(self) -> dict[str, list[int]]:
        """Processes on the run's devices that may be what is left of it, once its tree has ended.

        What can be asked is not: it is another run's, or came from outside while this one ran. What cannot, because
        it is gone and the driver has not noticed, or lives outside this container, is, unless it was there before.
        """
        return {
            device: [pid for pid, known in pids.items() if known is None and pid not in self.foreign]
            for device, pids in self._on_devices().items()
        }

    def _note_foreign_processes(self) -> None:
        from wavebook_tools.diagnosis.finding import Finding

        found = {pid for pids in self._on_devices().values() for pid, known in pids.items() if not known}
        self.foreign |= found
        if found:
            message = f"processes {sorted(found)} that are no runs are on {', '.join(self.devices)}"
            self._alert(Finding(kind="foreign process", message=message, evidence={"processes": sorted(found)}))

    def _full_device(self, error: str) -> Finding | None:
        """A run that failed in its device's driver while others fill the device's memory, as Warp does not tell."""
        if "CUDA error" not in error or not self._on_devices():
            return None
        from wavebook_tools.diagnosis.out_of_memory import full_device
        from wavebook_tools.jobs.devices import list_devices

        with contextlib.suppress(Exception):
            for device in list_devices():
                if device.id in self.devices and device.memory_total and device.memory_used is not None:
                    free = device.memory_total - device.memory_used
                    finding = full_device(error, device.label, free, device.memory_total, device.foreign)
                    if finding is not None:
                        return finding
        return None

    def _own_end(self, exit_code: int) -> Ending:
        """The end of a run that nobody ended."""
        if exit_code == 0 and self.record.result_path.exists():
            return Ending(RunState.DONE)
        if self.record.cancel_path.exists():
            return self._asked()
        message = self._reason(exit_code)
        finding = self._full_device(message) or self.watchdog.explain(exit_code=exit_code, error=message)
        if finding is None:
            return Ending(RunState.FAILED, message)
        self._alert(finding)
        # A failed cell names its error, and a signal is what it is; an exit code tells nobody why.
        told = (message.startswith("cell ") and "DeadKernelError" not in message) or exit_code < 0
        return Ending(RunState.FAILED, message if told else finding.message)

    def _reason(self, exit_code: int) -> str:
        from wavebook_tools.jobs.recovery import newest, tail_events

        events = tail_events(self.record)
        failed = next((e for e in reversed(events) if e["kind"] == "cell" and e.get("status") == "failed"), None)
        if failed is not None:
            return f"cell {failed['index'] + 1}: {failed['error']}"
        if exit_code == 0:
            return "the notebook ended without a result"
        if exit_code < 0:
            return f"the worker was ended by {signal.Signals(-exit_code).name}; see log.txt"
        last = newest(events, "alert")
        return str(last["message"]) if last else f"the worker ended with exit code {exit_code}; see log.txt"

    def _finish(self, ending: Ending, left: str | None) -> RunState:
        if left is not None:
            ending = Ending(RunState.FAILED, left)
        ended = round(time.time(), 3)  # before the devices are free, so that no run on them starts before this one ends
        if left is None:
            # Whoever reads the final state may count on free devices.
            Lease(",".join(self.devices), tuple(self.leases)).release()
        if ending.state is not RunState.DONE:
            from wavebook_tools.jobs.notes import note_ending

            with contextlib.suppress(Exception):  # the record's state does not hang on the note in its notebook
                note_ending(self.record, ending.state, ending.message)
        self.events.append({"t": ended, "kind": "state", "state": ending.state, "message": ending.message})
        return ending.state


def _wait(worker: subprocess.Popen[bytes], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(seconds)
        return True
    return False


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def main() -> None:
    """Run the run in the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="wavebook_tools.jobs.supervisor")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--devices", type=_names, default=_names(os.environ.get("CUDA_VISIBLE_DEVICES", "")))
    parser.add_argument("--leases", type=lambda text: [int(name) for name in _names(text)], default=[])
    parser.add_argument("--patience", type=json.loads, default={})
    arguments = parser.parse_args()
    supervisor = Supervisor(
        RunRecord(arguments.folder.resolve()),
        devices=arguments.devices,
        leases=arguments.leases,
        patience=arguments.patience,
    )
    supervisor.run()
    if arguments.leases:
        # This is the machine of the queue: should the dispatcher have been killed, the next one begins here.
        with contextlib.suppress(Exception):
            from wavebook_tools.jobs import wakeup

            wakeup.ensure_dispatcher(Project.find(supervisor.record.path))


if __name__ == "__main__":
    main()
