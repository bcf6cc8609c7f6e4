"""Runs on a cluster under Slurm, by sbatch, squeue and scancel alone: no accounting database is needed.

The project's folder must be on a file system that the nodes see under the same path, with the same Python environment.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from wavebook_tools.errors import UsageError, WavebookError, did_you_mean
from wavebook_tools.jobs.devices import CPU
from wavebook_tools.jobs.engines.base import EngineReport, EngineState, Placement
from wavebook_tools.jobs.engines.unreachable import ClusterUnreachableError
from wavebook_tools.records.engine_settings import SlurmSettings

SCRIPT = """\
#!/bin/sh
if [ "$WAVEBOOK_GPUS" != 0 ] && [ -z "$CUDA_VISIBLE_DEVICES" ]; then
    echo "Slurm started this job without giving it a GPU (CUDA_VISIBLE_DEVICES is empty); see docs/clusters.md" >&2
    exit 75
fi
exec "$@"
"""
"""The batch script. What it executes comes as arguments, which Slurm passes on unread, so no shell interprets a name
that came from a plan; and exec makes the supervisor the process that Slurm signals.

Slurm does start jobs without the GPUs that they asked for: where a gres has no device files, and where the controller
was restarted and a node has not registered since. Such a run would train on the CPU unnoticed, so it does not start."""

END_MARGIN = 5
"""How much longer Slurm's limit is than the run's own [min], so that the run ends by its own, which saves its notebook
and says why."""

WARNING = 60
"""How long before Slurm's limit the supervisor is asked to end [s]. Slurm is late by up to a minute."""

UNREACHABLE = "Unable to contact slurm controller"

PATIENCE = 60.0
"""How long a command may take to answer [s]."""

WAITING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
ENDED = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
    "TIMEOUT",
}  # fmt: skip
"""All other states (RUNNING, SUSPENDED, COMPLETING, …) are of jobs whose processes may be alive."""


class SlurmEngine:
    """Places supervisors as batch jobs."""

    def __init__(self, settings: SlurmSettings) -> None:
        self.settings = settings

    def submit(self, placement: Placement) -> str:
        """Submit a run.

        Returns:
            Slurm's job id.

        Raises:
            UsageError: The run asks for devices that the settings do not map to a gres type.
            ClusterUnreachableError: No controller was reached.
            WavebookError: Slurm does not answer or refuses the job.
        """
        options = self._options(placement)
        command = list(placement.command)
        if placement.gpus == 0:
            # Where no GPU is asked for, Slurm may leave a word of its own in the variable.
            command = ["/usr/bin/env", "CUDA_VISIBLE_DEVICES=", *command]
        with tempfile.NamedTemporaryFile("w", prefix="wavebook-", suffix=".sh") as script:
            script.write(SCRIPT)
            script.flush()
            answer = _slurm("sbatch", *options, script.name, *command, environment=of_job(placement))
        # «123» or «123;cluster»
        job = answer.strip().splitlines()[-1].partition(";")[0] if answer.strip() else ""
        if not job.isdigit():
            raise WavebookError(f"sbatch answered {answer.strip()[:200]!r} instead of a job id")
        return job

    def cancel(self, native_id: str) -> None:
        """Take a waiting job out, or send SIGTERM to the supervisor of one that runs; one that has ended is fine.

        Only the supervisor gets the signal. A plain scancel would signal all processes of the job at once, and the
        kernel would be gone before its notebook is saved.

        Raises:
            WavebookError: Slurm does not answer.
        """
        # In this order: a job that starts between the two is found by the second.
        for options in (["--state=PENDING"], ["--ctld", "--batch", "--signal=TERM"]):
            try:
                _slurm("scancel", *options, native_id)
            except WavebookError:
                report = self.poll([native_id])[native_id]  # raises where Slurm does not answer at all
                if report.state is EngineState.RUNNING and "--batch" in options and report.message is None:
                    raise

    def poll(self, native_ids: Sequence[str]) -> dict[str, EngineReport]:
        """Ask for all jobs at once; those that Slurm has forgotten (MinJobAge after their end) have ended.

        Raises:
            WavebookError: Slurm does not answer.
        """
        if not native_ids:
            return {}
        # By user: with ids, squeue fails as a whole where the only one asked for is forgotten. With --all, since else
        # jobs in hidden partitions would seem to have ended. The reason stands last, as it may hold anything.
        what = ["--all", f"--user={os.getuid()}", "--states=all"]
        answer = _slurm("squeue", "--noheader", *what, "--format=%A|%T|%N|%r")
        reports = dict(_report(line) for line in answer.splitlines() if line.count("|") >= 3)
        gone = EngineReport(EngineState.ENDED, "Slurm no longer knows the job")
        return {native: reports.get(native, gone) for native in native_ids}

    def _options(self, placement: Placement) -> list[str]:
        settings = self.settings
        options = [
            "--parsable",
            "--no-requeue",  # a run that starts a second time would write into the same record
            f"--job-name=wavebook-{re.sub(r'[^A-Za-z0-9_.-]+', '-', placement.run_id)}",
            f"--chdir={placement.folder}",
            "--output=log.txt",
            "--open-mode=append",
            "--export=ALL",
            "--nodes=1",
            "--ntasks=1",
            f"--cpus-per-task={settings.cpus}",
            f"--signal=B:TERM@{WARNING}",
        ]
        options += [
            f"--{name}={value}"
            for name, value in (
                ("partition", settings.partition),
                ("account", settings.account),
                ("qos", settings.qos),
                ("time", settings.time if placement.hours is None else _minutes(placement.hours)),
            )
            if value is not None
        ]
        if placement.gpus > 0:
            options.append(f"--gres={self._gres(placement)}")
        return options + settings.options

    def _gres(self, placement: Placement) -> str:
        """What is asked for: any GPUs, or chosen ones, which Slurm tells apart only by their types."""
        chosen = [name for name in placement.devices if name not in {"auto", CPU}]
        if not chosen:
            return f"{self.settings.gres}:{placement.gpus}"
        known = self.settings.devices
        unknown = [name for name in chosen if name not in known]
        if unknown:
            names = ", ".join(known) or "none"
            raise UsageError(
                f"device {unknown[0]!r} cannot be chosen on Slurm: it gives out GPUs by their gres type, and "
                f"engine.slurm.devices maps no type to this name (it maps {names}).{did_you_mean(unknown[0], known)} "
                "Leave the choice to Slurm with the device 'auto'"
            )
        if len(chosen) != placement.gpus:
            raise UsageError(
                f"the run trains on {placement.gpus} of the devices {', '.join(chosen)}; Slurm takes as many names as "
                "the run has GPUs, or 'auto'"
            )
        return ",".join(f"{self.settings.gres}:{known[name]}:1" for name in chosen)


def of_job(placement: Placement) -> dict[str, str]:
    """The environment with which a job is submitted, and which it gets.

    A queue that itself runs in a job must not hand that job's variables on: they would be taken for the new one's.
    """
    kept = {"SLURM_CONF"}
    given = {"CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES"}
    job = {
        name: value
        for name, value in placement.environment.items()
        if name in kept or not (name in given or name.startswith(("SLURM_", "SLURMD_")))
    }
    return {**job, "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "WAVEBOOK_GPUS": str(placement.gpus)}


def _minutes(hours: float) -> str:
    return str(math.ceil(hours * 60) + END_MARGIN)


def _report(line: str) -> tuple[str, EngineReport]:
    job, state, nodes, reason = (part.strip() for part in line.split("|", 3))
    told = "" if reason in {"", "None"} else f" ({reason})"
    if state in WAITING:
        return job, EngineReport(EngineState.PENDING, f"waits in Slurm{told or f' ({state})'}")
    devices = (nodes,) if nodes else ()
    if state in ENDED:
        log = "; see log.txt" if state == "FAILED" else ""
        message = f"Slurm ended the job: {state}{told}{log}"
        return job, EngineReport(EngineState.ENDED, message, devices, placed=bool(devices))
    return job, EngineReport(EngineState.RUNNING, None if state == "RUNNING" else f"{state}{told}", devices)


def _of_command(environment: Mapping[str, str]) -> dict[str, str]:
    """A person's own defaults for squeue, such as one partition, would hide jobs, which would count as ended."""
    return {name: value for name, value in environment.items() if not name.startswith(("SQUEUE_", "SCANCEL_"))}


def _slurm(program: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What a Slurm command prints.

    Raises:
        ClusterUnreachableError: It found no controller.
        WavebookError: It is not installed, does not answer in time or fails; the message is its own.
    """
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            env=_of_command(os.environ if environment is None else environment),
        )
    except FileNotFoundError as error:
        raise WavebookError(
            f"{program} is not on the PATH of this machine; Slurm's commands are needed here"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise WavebookError(f"{program} did not answer within {PATIENCE:g} s") from error
    if done.returncode != 0:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).replace(f"{program}: error: ", "").split())
        kind = ClusterUnreachableError if UNREACHABLE in said else WavebookError
        raise kind(f"{program}: {said[-500:] or f'exit code {done.returncode}'}")
    return done.stdout
