"""Runs on a Ray cluster, through the Jobs interface of its dashboard; Ray itself is not needed here.

The project's folder must be on a file system that the nodes see under the same path, with the same Python environment.
Interface: https://docs.ray.io/en/latest/cluster/running-applications/job-submission/api.html
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shlex
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.devices import CPU
from wavebook_tools.jobs.engines.base import EngineReport, EngineState, Placement
from wavebook_tools.jobs.engines.unreachable import ClusterUnreachableError
from wavebook_tools.records.engine_settings import RaySettings
from wavebook_tools.records.project import RunRecord

NOT_NOW = "No available agent"
"""What the dashboard says while none of the cluster's nodes is ready to take jobs."""

PATIENCE = 30.0
"""How long the dashboard may take to answer [s]."""

STOP_WAIT = 60
"""How long Ray waits between asking a run to end and killing it [s]; by default 3, too few to save a notebook."""

HANDED_ON = ("WAVEBOOK_", "PYTHON", "OMP_")
"""Variables that a run gets beside those of its node. All others belong to the machine of the queue; and what is sent
here is shown in Ray's dashboard."""

GAVE_UP = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
"""How Ray calls it that it ended a job for having waited too long (RAY_JOB_START_TIMEOUT_SECONDS, by default 900)."""


class RayEngine:
    """Places supervisors as Ray jobs."""

    def __init__(self, settings: RaySettings) -> None:
        self.settings = settings

    def submit(self, placement: Placement) -> str:
        """Submit a run.

        Returns:
            The job's submission id.

        Raises:
            UsageError: The run asks for chosen devices, which Ray cannot give.
            ClusterUnreachableError: Nobody listens at the cluster's address, or nobody there takes jobs now.
            WavebookError: The cluster does not answer or refuses the job.
        """
        chosen = [name for name in placement.devices if name not in {"auto", CPU}]
        if chosen:
            raise UsageError(
                f"device {chosen[0]!r} cannot be chosen on Ray, which gives out GPUs by number alone; "
                "leave the choice to it with the device 'auto'"
            )
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", placement.run_id)
        native = f"wavebook-{name}-{secrets.token_hex(4)}"
        self._submit(native, entrypoint(placement), {"folder": str(placement.folder), "gpus": str(placement.gpus)})
        return native

    def cancel(self, native_id: str) -> None:
        """Send SIGTERM to a run's processes; one that has ended is fine.

        Ray does not stop a job that waits. Such a job counts as ended once its run has a request to cancel, and does
        nothing when Ray starts it after all.

        Raises:
            WavebookError: The cluster does not answer.
        """
        self._call("POST", f"{native_id}/stop", missing={})

    def poll(self, native_ids: Sequence[str]) -> dict[str, EngineReport]:
        """Ask for all jobs at once; those that the cluster does not know have ended.

        Jobs that Ray gave up because they waited too long are submitted again.

        Raises:
            WavebookError: The cluster does not answer.
        """
        if not native_ids:
            return {}
        jobs = {job.get("submission_id"): job for job in self._call("GET", "")}
        gone = EngineReport(EngineState.ENDED, "Ray no longer knows the job: its head node was restarted")
        return {native: self._report(native, jobs[native]) if native in jobs else gone for native in native_ids}

    def _report(self, native: str, job: Mapping[str, Any]) -> EngineReport:
        message = " ".join(str(job.get("message") or "").split())[:500]
        metadata = job.get("metadata") or {}
        cancelled = "folder" in metadata and RunRecord(Path(metadata["folder"])).cancel_path.exists()
        node = urllib.parse.urlsplit(job.get("driver_agent_http_address") or "").hostname
        devices = (node,) if node else ()
        status = job["status"]
        if status == "FAILED" and job.get("error_type") == GAVE_UP and not cancelled:
            self._call("DELETE", native, missing={})
            self._submit(native, job["entrypoint"], metadata)
            return EngineReport(EngineState.PENDING, "waits in Ray, submitted again after Ray gave it up")
        if status == "PENDING" and not cancelled:
            return EngineReport(EngineState.PENDING, f"waits in Ray: {message}" if message else "waits in Ray")
        if status == "RUNNING":
            return EngineReport(EngineState.RUNNING, None, devices)
        told = f"Ray ended the job: {status}" + (f" ({message})" if message else "")
        return EngineReport(EngineState.ENDED, told, placed=status != "PENDING")

    def _submit(self, native: str, command: str, metadata: Mapping[str, str]) -> None:
        job = {
            "submission_id": native,
            "entrypoint": command,
            "metadata": dict(metadata),
            "runtime_env": {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_WAIT)}},
            "entrypoint_num_gpus": int(metadata["gpus"]),
            "entrypoint_num_cpus": self.settings.cpus,
            "entrypoint_resources": self.settings.resources,
        }
        self._call("POST", "", job)

    def _call(self, method: str, path: str, document: object = None, *, missing: object = None) -> Any:
        """One request; ``missing`` is the answer where the cluster does not know the job.

        Raises:
            WavebookError: No answer, or a refusal; the message is the cluster's.
        """
        address = f"{self.settings.address.rstrip('/')}/api/jobs/{path}"
        headers = {"Accept": "application/json"}
        variable = self.settings.token_variable
        token = os.environ.get(variable) if variable else None
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = None
        if document is not None:
            body, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
        request = urllib.request.Request(address, data=body, headers=headers, method=method)
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code == 404 and missing is not None:
                return missing
            refusal = self._refusal(error, token)
            # A cluster that has just started, or is busy, has nobody yet to take the job.
            kind = ClusterUnreachableError if NOT_NOW in refusal else WavebookError
            raise kind(f"Ray at {self.settings.address}: {refusal}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            # Refused, or no such host: nothing was sent.
            kind = (
                ClusterUnreachableError
                if isinstance(reason, ConnectionRefusedError | socket.gaierror)
                else WavebookError
            )
            raise kind(f"Ray at {self.settings.address} does not answer: {reason}") from error

    def _refusal(self, error: urllib.error.HTTPError, token: str | None) -> str:
        if error.code in {401, 403}:
            given = "refused the token in" if token else "wants a token, and there is none in"
            return f"it {given} the environment variable {self.settings.token_variable} (engine.ray.token_variable)"
        # A traceback of the dashboard; its last line tells the reason.
        lines = error.read().decode(errors="replace").strip().splitlines()
        return f"{error.code} {error.reason}" + (f": {lines[-1][:500]}" if lines else "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a redirect would carry the token to wherever it points."""

    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        return None


def entrypoint(placement: Placement) -> str:
    """The shell command that Ray executes. All that is not ours is quoted."""
    variables = {name: value for name, value in placement.environment.items() if name.startswith(HANDED_ON)}
    variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    steps = [f"cd {shlex.quote(str(placement.folder))}", "exec >> log.txt 2>&1"]
    if placement.gpus == 0:
        variables["CUDA_VISIBLE_DEVICES"] = ""
    else:  # it would train on the CPU unnoticed
        steps.append('{ [ -n "$CUDA_VISIBLE_DEVICES" ] || { echo "Ray gave this job no GPU"; exit 75; }; }')
    steps.append("{ [ ! -e cancel.json ] || exit 0; }")  # was cancelled while it waited
    words = ["env", *(f"{name}={value}" for name, value in variables.items()), *placement.command]
    return " && ".join([*steps, f"exec {shlex.join(words)}"])
