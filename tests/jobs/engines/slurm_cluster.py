"""A Slurm cluster of this machine alone: the real daemons, with four GPUs that are device files without a device."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

GPUS = 4

CONFIGURATION = """\
ClusterName=wavebook
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=5
SlurmdParameters=config_overrides
KillWait=20
MessageTimeout=5
MinJobAge=300
InactiveLimit=0
SchedulerParameters=sched_interval=1,bf_interval=1
GresTypes=gpu,token
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=1024 State=UNKNOWN {gres}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE Hidden=YES
"""


class SlurmCluster:
    """The daemons and their folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What Slurm's commands need."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def write_configuration(self) -> None:
        for name in ("state", "spool", "devices"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        lines = []
        for number in range(GPUS):
            device = self.folder / "devices" / f"nvidia{number}"
            if not device.exists():
                os.mknod(device, 0o600 | 0o020000, os.makedev(1, 3))  # as /dev/null
            lines.append(f"Name=gpu Type=slot{number} File={device}\n")
        (self.folder / "gres.conf").write_text("AutoDetect=off\nName=token Count=2\n" + "".join(lines))
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=socket.gethostname().partition(".")[0],
                controller_port=free_port(),
                node_port=free_port(),
                folder=self.folder,
                gres="Gres=" + ",".join(f"gpu:slot{number}:1" for number in range(GPUS)) + ",token:2",
            )
        )

    def start(self) -> None:
        """Start all daemons and wait until the node takes jobs."""
        key = self.folder / "munge.key"
        if not key.exists():
            key.write_bytes(os.urandom(128))
            key.chmod(0o400)
        munge = ["munged", "--foreground", f"--socket={self.folder}/munge.socket", f"--key-file={key}"]
        munge += [f"--{name}-file={self.folder}/munge.{name}" for name in ("log", "pid", "seed")]
        self._start("munged", munge)
        wait_until(lambda: (self.folder / "munge.socket").exists(), 10, self.logs)
        self.start_controller()
        self.start_node()
        wait_until(self.idle, 60, self.logs)

    def idle(self) -> bool:
        """Whether the node takes jobs and has none."""
        return self.command("sinfo", "--all", "--noheader", "--format=%T").strip() == "idle"

    def answers(self) -> bool:
        """Whether the controller answers."""
        return "UP" in self.command("scontrol", "ping")

    def start_controller(self) -> None:
        self._start("slurmctld", ["slurmctld", "-D", "-f", str(self.folder / "slurm.conf")])

    def restart_controller(self) -> None:
        """Restart what schedules, as an update does. The node too, since until it registers again, jobs get no GPU."""
        self.end("slurmctld")
        self.start_controller()
        wait_until(self.answers, 30, self.logs)
        self.end("slurmd")  # its jobs go on
        self.start_node()

    def start_node(self) -> None:
        self._start("slurmd", ["slurmd", "-D", "-f", str(self.folder / "slurm.conf")])

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **self.environment}
            )

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End one daemon."""
        daemon = self.daemons.pop(name, None)
        if daemon is None:
            return
        daemon.send_signal(number)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def kill_tree(self, pid: int) -> None:
        """Kill a job's processes as a machine that loses its power does, Slurm's own process for it first."""
        root = psutil.Process(pid)
        for process in [root.parent(), root, *root.children(recursive=True)]:
            if process is not None and process.pid != 1:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    def close(self) -> None:
        """End the jobs, then the daemons."""
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            self.command("scancel", "--state=PENDING", "--user=root")
            self.command("scancel", "--user=root")
            wait_until(lambda: not self.command("squeue", "--all", "--noheader"), 30)
        for name in ("slurmd", "slurmctld", "munged"):
            self.end(name)

    def command(self, *arguments: str) -> str:
        """What a Slurm command prints; empty where it fails."""
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=30, env={**os.environ, **self.environment}, check=False
        )
        return done.stdout

    def logs(self) -> str:
        """The ends of the daemons' logs."""
        texts = []
        for path in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")):
            texts.append(f"--- {path.name}\n" + path.read_text(errors="replace")[-2000:])
        return "\n".join(texts)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], object], timeout: float, explain: Callable[[], str] = str) -> None:
    """Wait for a condition; the failure shows ``explain``."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)


def missing() -> str | None:
    """Why no cluster can be started here."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    absent = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name, path=search) is None]
    if absent:
        return f"{', '.join(absent)} not found: Slurm is not installed (Debian packages slurm-wlm and munge)"
    if os.geteuid() != 0:
        return "only root may start Slurm's daemons and make device files"
    return None


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[SlurmCluster]:
    """A cluster for as long as the block lasts; skips the test where there can be none."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    cluster = SlurmCluster(folder)
    cluster.write_configuration()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
