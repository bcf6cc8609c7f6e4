"""The root of a run's process tree: starts the worker, ends the whole tree, and says how the run ended.

    python -m wavebook_tools.jobs.supervisor PROJECT RUN LEASE

LEASE is the inherited descriptor that holds the device.

It does as little as possible, so that nothing of what a run does can bring it down: the notebook is executed by the
worker, a process below it. As a subreaper it inherits whatever a kernel leaves behind, so none of it survives the run.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from wavebook_tools.jobs.processes import become_subreaper, end_descendants, kill
from wavebook_tools.jobs.recovery import newest, summary, tail_events
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RUN_FOLDER_VARIABLE, RunState

INTERRUPT_GRACE = 5.0
"""How long an interrupted notebook may take to stop by itself [s]."""

SAVE_GRACE = 3.0
"""How long the worker may take to save the notebook after its kernel was killed [s]."""

UNKILLABLE_PATIENCE = 60.0
"""How long to wait for processes that do not die of SIGKILL, as with a driver that hangs [s]."""


class Supervisor:
    """Runs one run."""

    def __init__(self, project: Project, run_id: str, lease: int) -> None:
        self.project = project
        self.run_id = run_id
        self.lease = lease
        self.store = QueueStore(project)
        row = self.store.get(run_id)
        if row is None:
            raise SystemExit(f"the run {run_id} is not in the queue of {project.root}")
        self.row = row
        self.record = RunRecord(project.root / row.folder)
        self.events = EventWriter(self.record.events_path)
        self.asked_to_end = False

    def run(self) -> RunState:
        """Execute the run to its end and return its final state."""
        self.events.write("state", state=RunState.STARTING, device=self.row.device, pid=os.getpid())
        signals = self._listen()
        worker = subprocess.Popen(
            [sys.executable, "-m", "wavebook_tools.jobs.worker", str(self.project.root), self.run_id],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, RUN_FOLDER_VARIABLE: str(self.record.path)},
        )
        with selectors.DefaultSelector() as selector:
            selector.register(signals, selectors.EVENT_READ)
            selector.register(os.pidfd_open(worker.pid), selectors.EVENT_READ)
            while worker.poll() is None and not self.asked_to_end:
                selector.select()
        if worker.poll() is None:
            self._interrupt(worker)
        left = end_descendants(patience=UNKILLABLE_PATIENCE)
        return self._finish(worker.returncode, left)

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

    def _interrupt(self, worker: subprocess.Popen[bytes]) -> None:
        """Ask first: the worker interrupts the kernel and saves the notebook. Then kill."""
        worker.terminate()
        if _wait(worker, INTERRUPT_GRACE):
            return
        # The kernel ignores it. Without its kernel the worker saves what the notebook holds so far.
        for child in psutil.Process(worker.pid).children(recursive=True):
            kill(child.pid)
        if not _wait(worker, SAVE_GRACE):
            worker.kill()
            worker.wait()

    def _finish(self, exit_code: int, left: list[int]) -> RunState:
        row = self.store.get(self.run_id) or self.row
        if left:
            state = RunState.FAILED
            message = f"processes {left} do not die and may still hold {row.device}; a restart of the machine ends them"
        elif row.cancel_by is not None:
            state, message = RunState.CANCELLED, f"cancelled by {row.cancel_by}"
            if row.cancel_why:
                message += f": {row.cancel_why}"
        elif self.asked_to_end:
            state, message = RunState.FAILED, "ended from outside (the machine or its session was shut down)"
        elif exit_code == 0 and self.record.result_path.exists():
            state, message = RunState.DONE, None
        else:
            state, message = RunState.FAILED, self._reason(exit_code)
        if state is not RunState.DONE:
            self._annotate(state, message or "")
        iteration, metrics = summary(self.record)
        if not left:
            os.close(self.lease)  # whoever reads the final state may count on a free device
        self.events.write("state", state=state, message=message)
        self.store.finish(self.run_id, state, message=message, iteration=iteration, metrics=metrics)
        return state

    def _reason(self, exit_code: int) -> str:
        failed = next(
            (e for e in reversed(tail_events(self.record)) if e["kind"] == "cell" and e.get("status") == "failed"), None
        )
        if failed is not None:
            return f"cell {failed['index'] + 1}: {failed['error']}"
        if exit_code == 0:
            return "the notebook ended without a result"
        if exit_code < 0:
            return f"the worker was ended by {signal.Signals(-exit_code).name}; see log.txt"
        last = newest(tail_events(self.record), "alert")
        return str(last["message"]) if last else f"the worker ended with exit code {exit_code}; see log.txt"

    def _annotate(self, state: RunState, message: str) -> None:
        # Imported here, as it is heavy and a run that is done never needs it.
        from wavebook_tools.notebooks.annotation import annotate

        with contextlib.suppress(Exception):  # the record's state does not hang on the note in its notebook
            annotate(self.record.notebook_path, f"**{state.value}**: {message}")


def _wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def main() -> None:
    """Run the run named on the command line."""
    Supervisor(Project(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])).run()


if __name__ == "__main__":
    main()
