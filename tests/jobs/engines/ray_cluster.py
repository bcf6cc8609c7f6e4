"""A Ray cluster of two nodes on this machine, with two GPUs each that nothing stands behind.

Ray is installed into an environment of its own, since the project does without it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.jobs.engines.slurm_cluster import free_port, wait_until

VERSION = "2.60.0"

GIVE_UP = 10
"""After so many seconds Ray gives a waiting job up, instead of 900."""


def installed(folder: Path) -> Path:
    """The folder of Ray's programs, installed once; skips the test where that fails."""
    programs = folder / "bin"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=120)
            pip = [str(programs / "pip"), "install", "--quiet", f"ray[default]=={VERSION}"]
            subprocess.run(pip, check=True, capture_output=True, timeout=400)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
            pytest.skip(f"Ray cannot be installed: {said[-1] if said else error}")
        (folder / "complete").touch()
    return programs


class RayCluster:
    """The processes of both nodes, on loopback addresses alone and with a token."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.programs = programs
        self.token = secrets.token_hex(32)
        self.port = free_port()
        self.address = f"http://127.0.0.1:{free_port()}"
        self.nodes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start both nodes and wait for the Jobs interface."""
        dashboard = self.address.rpartition(":")[2]
        head = ["--head", f"--port={self.port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
        self._start("0,1", *head, f"--temp-dir={self.folder / 'ray'}")
        wait_until(self.answers, 120, self.logs)
        self.start_second()

    def start_second(self) -> None:
        """Start the node without the dashboard, and wait until the cluster has two."""
        self._start("2,3", f"--address=127.0.0.1:{self.port}")
        wait_until(lambda: self.get("nodes?view=summary").count(b'"ALIVE"') == 2, 60, self.logs)

    def _start(self, gpus: str, *options: str) -> None:
        with (self.folder / "nodes.out").open("ab") as out:
            self.nodes.append(
                subprocess.Popen(
                    [self.programs / "ray", "start", "--block", "--node-ip-address=127.0.0.1", "--num-gpus=2",
                     "--num-cpus=4", "--object-store-memory=100000000", "--disable-usage-stats", *options],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                    env={
                        **os.environ,
                        "CUDA_VISIBLE_DEVICES": gpus,
                        "RAY_AUTH_MODE": "token",
                        "RAY_AUTH_TOKEN": self.token,
                        "RAY_JOB_START_TIMEOUT_SECONDS": str(GIVE_UP),
                    },
                )
            )  # fmt: skip

    def get(self, path: str) -> bytes:
        """What the dashboard answers; empty where it does not."""
        request = urllib.request.Request(f"{self.address}/{path}", headers={"Authorization": f"Bearer {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            return b""

    def answers(self) -> bool:
        """Whether the Jobs interface answers."""
        return self.get("api/jobs/").startswith(b"[")

    def end(self, number: int) -> None:
        """End a node and all that it started, at once, as a machine that loses its power does."""
        _kill(_family(self.nodes[number]))
        self.nodes[number].wait()

    def close(self) -> None:
        families = [_family(node) for node in self.nodes]  # what outlives its node would be found no more
        for node in self.nodes:
            node.send_signal(signal.SIGTERM)
        for node, family in zip(self.nodes, families, strict=True):
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.wait(15)
            _kill([*family, *_family(node)])
            node.wait()

    def logs(self) -> str:
        """What the nodes said at their start."""
        return (self.folder / "nodes.out").read_text(errors="replace")[-4000:]


def _family(node: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """A node's process and all that it started; none where it is gone."""
    try:
        process = psutil.Process(node.pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


@contextlib.contextmanager
def running_ray(folder: Path, environment: Path) -> Iterator[RayCluster]:
    """A cluster for as long as the block lasts; skips the test where Ray cannot be installed.

    One at a time on a machine: tests of another process wait here.
    """
    environment.parent.mkdir(parents=True, exist_ok=True)
    with open(environment.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cluster = RayCluster(folder, installed(environment))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()
