"""A dispatcher whose runs do nothing but claim their devices, in a way that shows two runs on one.

    python -m tests.faults.contending PROJECT

Each run is a process that makes a folder named after its device, which fails where another run holds it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from wavebook_tools.jobs import dispatcher
from wavebook_tools.jobs.dispatcher import Dispatcher
from wavebook_tools.jobs.engines.base import Placement
from wavebook_tools.jobs.engines.local import LocalEngine
from wavebook_tools.jobs.processes import ProcessIdentity
from wavebook_tools.records.project import Project

CLAIMS = "WAVEBOOK_TEST_CLAIMS"
"""The folder in which runs claim devices; beside it they note what happened."""

# Named like a supervisor, so that a dispatcher that takes over finds it as it finds a real one. Without the modules
# that Python looks for at its start, since hundreds of them are started.
CLAIM = """\
import json, os, random, sys, time
folder, devices, claims = sys.argv[2], sys.argv[3].split(","), os.environ["WAVEBOOK_TEST_CLAIMS"]
def note(name, *words):
    file = os.open(os.path.join(claims, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(file, (" ".join([folder, *words]) + chr(10)).encode())
    os.close(file)
def event(state):
    line = json.dumps({"t": time.time(), "kind": "state", "state": state, "message": "claimed its devices"})
    file = os.open(os.path.join(folder, "events.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(file, (line + chr(10)).encode())
    os.close(file)
event("starting")
note("started")
for device in devices:
    try:
        os.mkdir(os.path.join(claims, device))
    except FileExistsError:
        note("violations", device)
time.sleep(random.uniform(0.005, 0.03))
for device in devices:
    os.rmdir(os.path.join(claims, device))
event("done")
"""


class ClaimingEngine(LocalEngine):
    """Starts what claims devices in the place of supervisors."""

    def submit(self, placement: Placement, descriptors: Sequence[int] = ()) -> str:
        placement.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-I", "-S", "-c", CLAIM, "wavebook_tools.jobs.supervisor", str(placement.folder)]
        process = subprocess.Popen(
            [*command, ",".join(placement.devices)],
            stdin=subprocess.DEVNULL,
            pass_fds=list(descriptors),
            start_new_session=True,
            env=dict(placement.environment),
        )
        process.returncode = 0  # as with a supervisor, the dispatcher reaps it
        return str(ProcessIdentity.of(process.pid))


class ContendingDispatcher(Dispatcher):
    """Moves a queue of such runs, and compares nothing at its end."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.local = ClaimingEngine()

    def conclude(self, wave_id: int) -> None:
        return


if __name__ == "__main__":
    dispatcher.Dispatcher = ContendingDispatcher  # type: ignore[misc]
    dispatcher.main()
