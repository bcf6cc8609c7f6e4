"""A small program in the supervisor's place, and its jobs on a cluster."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.jobs.engines.slurm_cluster import wait_until
from wavebook_tools.jobs.engines.base import Engine, EngineState, Placement
from wavebook_tools.jobs.engines.unreachable import ClusterUnreachableError

PROGRAM = """\
import json, os, signal, subprocess, sys, time
def note(**event):
    with open("events.jsonl", "a") as file:
        file.write(json.dumps(event) + "\\n")
def end(number, frame):
    time.sleep(0.5)  # what it takes to save a notebook
    note(child=child.poll())
    child.kill()
    note(state="ended", signal=number)
    raise SystemExit(0)
child = subprocess.Popen(["sleep", "600"])
signal.signal(signal.SIGTERM, end)
note(state="running", arguments=sys.argv[1:], devices=os.environ.get("CUDA_VISIBLE_DEVICES"),
     token=os.environ.get("WAVEBOOK_API_KEY"), given=os.environ.get("GIVEN"), folder=os.getcwd())
print("started", flush=True)
while not os.path.exists("go"):
    time.sleep(0.05)
child.kill()
note(state="ended", signal=None)
"""


class Job:
    """One submitted program."""

    def __init__(self, engine: Engine, folder: Path, placement: Placement, patience: float) -> None:
        self.engine = engine
        self.folder = folder
        self.id = self._submit(placement, patience)

    def _submit(self, placement: Placement, patience: float) -> str:
        """Submit as the queue does: again while the cluster takes no jobs, for that long [s]."""
        deadline = time.monotonic() + patience
        while True:
            try:
                return self.engine.submit(placement)
            except ClusterUnreachableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def events(self) -> list[dict[str, object]]:
        path = self.folder / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def state(self) -> EngineState:
        return self.engine.poll([self.id])[self.id].state

    @property
    def message(self) -> str | None:
        return self.engine.poll([self.id])[self.id].message

    def started(self) -> Job:
        wait_until(lambda: self.events(), 30, lambda: str(self.engine.poll([self.id])))
        return self

    def ended(self, patience: float = 60) -> Job:
        wait_until(lambda: self.state is EngineState.ENDED, patience, lambda: str(self.engine.poll([self.id])))
        return self


class Jobs:
    """Submits programs, and ends those that a test leaves."""

    def __init__(self, engine: Engine, root: Path, environment: dict[str, str]) -> None:
        self.engine = engine
        self.root = root
        self.environment = environment
        self.all: list[Job] = []

    def submit(
        self,
        *arguments: str,
        gpus: int = 1,
        devices: tuple[str, ...] = ("auto",),
        patience: float = 60,
        **fields: object,
    ) -> Job:
        number = len(list(self.root.iterdir()))
        folder = self.root / f"run {number} $(touch hit)"  # a path that a shell would tear
        folder.mkdir()
        (folder / "log.txt").write_text("kept\n")
        program = folder / "program.py"
        program.write_text(PROGRAM)
        placement = Placement(
            run_id=f"exp{number:03d}/s0",
            folder=folder,
            command=[sys.executable, str(program), *arguments],
            environment={
                **self.environment,
                "PATH": "/usr/bin:/bin",
                "GIVEN": "with spaces; and $more",
                "SLURM_JOB_ID": "77777",  # as in a queue that runs in a job itself
            },
            devices=devices,
            gpus=gpus,
            **fields,  # type: ignore[arg-type]
        )
        self.all.append(Job(self.engine, folder, placement, patience))
        return self.all[-1]

    def close(self) -> None:
        for job in self.all:
            (job.folder / "go").touch()
        for job in self.all:
            self.engine.cancel(job.id)
        for job in self.all:
            job.ended()
