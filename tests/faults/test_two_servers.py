"""Two servers over one set of GPUs: no device is ever given to two runs, whoever is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.contending import CLAIMS
from tests.jobs.conftest import small_plan
from tests.jobs.gpus import Machine
from wavebook_tools.jobs import leases, wakeup
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec, RunState

SUBMISSIONS = int(os.environ.get("WAVEBOOK_FAULT_SUBMISSIONS", "500"))

WAVE = 10
"""Runs that are submitted together."""

KILLS = 10

GPUS = ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]


class Server:
    """A project and whoever moves its queue."""

    def __init__(self, root: Path) -> None:
        self.project = Project.create(root)
        self.store = QueueStore(self.project)
        self.waves = 0
        self.process: subprocess.Popen[bytes] | None = None

    def submit(self) -> None:
        self.waves += 1
        plan = small_plan(self.waves, seeds=WAVE).model_copy(update={"devices": ["auto"]})
        folder = self.project.waves_path / plan.folder
        folder.mkdir()
        (folder / "wave.json").write_text(plan.model_dump_json())
        experiment = plan.experiments[0]
        specs = [RunSpec.from_plan(plan, experiment, seed) for seed in experiment.seeds]
        self.store.add((spec, self.project.relative(self.project.run_folder(plan, spec))) for spec in specs)
        wakeup.wake(self.project)

    def keep_moving(self) -> None:
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-m", "tests.faults.contending", str(self.project.root)]
            with open(self.project.root / "dispatcher.log", "ab") as log:
                self.process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=log, stderr=log)

    def kill(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        self.process.kill()
        self.process.wait()
        return True

    def ended(self) -> int:
        return len(self.store.in_states(*(state for state in RunState if state.final)))


@pytest.fixture
def servers(tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Server]]:
    machine.set(GPUS)
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    monkeypatch.setenv(CLAIMS, str(tmp_path / "claims"))
    (tmp_path / "claims").mkdir()
    servers = [Server(tmp_path / name) for name in ("one", "other")]
    yield servers
    for server in servers:
        server.kill()
        server.store.close()


@pytest.mark.slow
def test_two_servers_share_the_gpus(servers: list[Server], tmp_path: Path) -> None:
    total = SUBMISSIONS // (WAVE * len(servers))
    killed = 0
    deadline = time.monotonic() + 300
    while (ended := sum(server.ended() for server in servers)) < SUBMISSIONS:
        assert time.monotonic() < deadline, f"{ended} of {SUBMISSIONS} have ended"
        for server in servers:
            if server.waves < total:
                server.submit()
            server.keep_moving()
        if ended > SUBMISSIONS * (killed + 1) / (KILLS + 2):
            killed += random.choice(servers).kill()
        time.sleep(0.1)
    claims = tmp_path / "claims"
    assert not (claims / "violations").exists(), (claims / "violations").read_text()
    started = Counter((claims / "started").read_text().splitlines())
    assert len(started) == SUBMISSIONS
    assert set(started.values()) == {1}, [folder for folder, times in started.items() if times > 1]
    rows = [row for server in servers for row in server.store.all()]
    assert Counter(row.state for row in rows) == {RunState.DONE: SUBMISSIONS}
    assert {row.device for row in rows} == set(GPUS)
    assert killed >= KILLS // 2
    for gpu in GPUS:
        assert leases.holders(gpu) == []
