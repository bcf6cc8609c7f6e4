"""Follow and control: ``run``, ``status``, ``logs``, ``cancel``, ``retry``, ``priority``, ``reindex``."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import sys
import time
from pathlib import Path

import click

from wavebook.agent.approvals import Approval, Approvals
from wavebook.cli.output import console, find_project, json_option, print_json, project_option, run_table
from wavebook.cli.plan import user_name
from wavebook.cli.progress import follow
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.devices import Device, list_devices
from wavebook_tools.jobs.index import rebuild
from wavebook_tools.jobs.queue import Queue, recover
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunId

CANCEL_PATIENCE = 90.0
"""How long `cancel` waits for the processes to be gone [s]."""


@click.command()
@click.argument("wave", type=int)
@click.option("--gpus", help="Devices for runs whose experiment names none: indices, UUIDs, cpu or auto.")
@click.option("--wait", is_flag=True, help="Follow the wave to its end; exit code 1 where a run failed.")
@project_option
@json_option
def run(wave: int, gpus: str | None, wait: bool, project_path: Path | None, as_json: bool) -> None:
    """Approve the proposed WAVE and start its runs."""
    project = find_project(project_path)
    devices = [name.strip() for name in gpus.split(",") if name.strip()] if gpus else None
    start_wave(project, wave, devices)
    if wait:
        ok = follow(project, wave, quiet=as_json)
        if as_json:
            print_json(project_status(project, wave=wave))
        sys.exit(0 if ok else 1)
    if as_json:
        print_json(project_status(project, wave=wave))
    else:
        console.print(f"Wave {wave} is queued. Follow it: wavebook status {wave}")


def start_wave(project: Project, wave: int, devices: list[str] | None = None) -> None:
    """Approve a proposed wave and queue its runs.

    Raises:
        UsageError: There is no such proposal, or it was decided before.
    """
    approvals = Approvals(project)
    approval = approvals.for_wave(wave)
    if approval is not None and approval.state == "approved" and not approval.queued:
        approvals.queue_wave(wave)  # a process died between the decision and the queue
        return
    pending = _pending(approvals, wave, approval)
    approvals.decide(pending.id, "approve", user_name(), why="started at the command line", devices=devices)


def _pending(approvals: Approvals, wave: int, approval: Approval | None) -> Approval:
    """What is noted for a wave, where that is a plan which waits for a decision; else an error that says what it is."""
    if approval is not None and approval.state == "pending":
        return approval
    if any(record.id == wave for record in approvals.project.waves()):
        raise UsageError(
            f"wave {wave} was started before; follow it with `wavebook status {wave}`, "
            f"run what failed again with `wavebook retry {wave}`"
        )
    if approval is not None:
        said = "expired, as nobody decided in time" if approval.state == "expired" else f"was {approval.state}"
        raise UsageError(f"the plan of wave {wave} {said}; propose another with `wavebook plan`")
    pending = ", ".join(str(a.plan.id) for a in approvals.list() if a.state == "pending") or "none"
    raise UsageError(f"there is no plan for wave {wave}; plans that wait for approval: {pending}")


@click.command()
@click.argument("wave", type=int)
@click.option("--why", default="", help="The reason, for the ledger.")
@project_option
@json_option
def reject(wave: int, why: str, project_path: Path | None, as_json: bool) -> None:
    """Reject the proposed WAVE. Nothing of it runs, and its number is free again."""
    approvals = Approvals(find_project(project_path))
    approval = _pending(approvals, wave, approvals.for_wave(wave))
    rejected = approvals.decide(approval.id, "reject", user_name(), why=why)
    if as_json:
        print_json(rejected.model_dump(mode="json"))
    else:
        console.print(f"Wave {wave} is rejected.")


@click.command()
@click.argument("wave", type=int, required=False)
@click.option("--wait", is_flag=True, help="Follow to the end.")
@project_option
@json_option
def status(wave: int | None, wait: bool, project_path: Path | None, as_json: bool) -> None:
    """Show waves and runs, or those of one WAVE."""
    project = find_project(project_path)
    # After a restart of the machine the first who looks sets the queue in motion again.
    with contextlib.suppress(WavebookError, OSError, sqlite3.DatabaseError):
        recover(project)  # what is wrong with the database is told by whoever reads it
    if wait:
        running = [w["id"] for w in project_status(project, wave=wave)["waves"] if w["state"] in {"queued", "running"}]
        for wave_id in running:
            follow(project, wave_id, quiet=as_json)
    document = project_status(project, wave=wave)
    if as_json:
        print_json(document)
    elif not document["waves"]:
        console.print('No waves yet. Start with: wavebook plan "what you want to find out"')
    else:
        devices: list[Device] = []
        with contextlib.suppress(WavebookError):  # runs are shown also where the driver does not answer
            devices = list_devices()
        console.print(run_table(document["waves"], time.time(), findings=_findings(project), devices=devices))
        unknown = [str(wave["id"]) for wave in document["waves"] if not wave["runs"]]
        if unknown:
            console.print(
                f"The queue knows no run of wave {', '.join(unknown)}; read copied records with: wavebook reindex"
            )


def _findings(project: Project) -> dict[str, str]:
    """By run, what the watchdog found last and suggests."""
    found = {}
    for decision in project.ledger.read():
        if decision.actor == "watchdog" and decision.what != "cancel":  # whose reason stands in the run's message
            suggested = (decision.refs.get("suggestion") or {}).get("action", "").replace("_", " ")
            named = decision.why.startswith(decision.name)  # as «out of memory: …» is
            told = decision.why if named else f"{decision.name}: {decision.why}"
            told += f"; try: {suggested}" if suggested else ""
            found.update(dict.fromkeys(decision.refs.get("runs", []), told))
    return found


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on printing until the run has ended.")
@project_option
@json_option
def logs(run_id: str, following: bool, project_path: Path | None, as_json: bool) -> None:
    """Print the log of RUN, named like exp001/s0."""
    project = find_project(project_path)
    record = project.run(run_id)
    if as_json:
        text = record.log_path.read_text(encoding="utf-8", errors="replace") if record.log_path.exists() else ""
        print_json({"id": run_id, "text": text})
        return
    with Queue(project) as queue:
        offset = 0
        while True:
            row = queue.store.get(run_id)
            ended = row is None or row.state.final
            if record.log_path.exists():
                with open(record.log_path, "rb") as stream:
                    stream.seek(offset)
                    chunk = stream.read()
                    offset += len(chunk)
                text = chunk.decode(errors="replace")
                click.echo(_harmless(text) if sys.stdout.isatty() else text, nl=False)
            if ended or not following:
                return
            time.sleep(0.5)


def _harmless(text: str) -> str:
    """What a run printed, for a terminal: colours stay, and nothing sets its title, its clipboard or its keys."""
    return re.sub(r"\x1b(?!\[[0-9;]*m)|[\x07\x80-\x9f]", "\N{SYMBOL FOR ESCAPE}", text)


@click.command()
@click.argument("target", metavar="RUN|WAVE")
@click.option("--why", default="", help="The reason, for the ledger.")
@project_option
@json_option
def cancel(target: str, why: str, project_path: Path | None, as_json: bool) -> None:
    """Cancel a run (exp001/s0) or a wave (3). Returns when its processes are gone and the device is free."""
    project = find_project(project_path)
    with Queue(project) as queue:
        if target.isdigit():
            ids = [RunId(row.id) for row in queue.store.of_wave(int(target)) if not row.state.final]
            queue.cancel_wave(int(target), user_name(), why)
            if not ids:
                raise UsageError(f"wave {target} has no run that could be cancelled; all have ended")
        else:
            ids = [RunId(target)]
            if not queue.cancel(target, user_name(), why):
                row = queue.store.get(target)
                if row is None or row.state.final:
                    raise UsageError(f"the run {target!r} has ended already ({row.state if row else 'unknown'})")
                # Somebody asked for it before: what this call promises is the same.
        gone = queue.wait(ids, CANCEL_PATIENCE)
        states = {run_id: row.state.value for run_id in ids if (row := queue.store.get(run_id))}
    if as_json:
        print_json({"cancelled": [run_id for run_id, state in states.items() if state == "cancelled"], "runs": states})
    else:
        for run_id, state in states.items():
            console.print(f"{run_id}: {state}")
    sys.exit(0 if gone else 1)


@click.command()
@click.argument("target", metavar="WAVE|RUN")
@click.option("--resume", is_flag=True, help="Go on from each run's last checkpoint where it left one.")
@click.option("--wait", is_flag=True, help="Follow the repeats to their end.")
@project_option
@json_option
def retry(target: str, resume: bool, wait: bool, project_path: Path | None, as_json: bool) -> None:
    """Run again what failed, hung or was cancelled in a wave (3), or one such run (exp001/s0)."""
    project = find_project(project_path)
    run_id = None if target.isdigit() else RunId(target)
    wave = int(target) if run_id is None else project.run(run_id).spec().wave
    project.wave(wave)
    with Queue(project) as queue:
        ids = queue.retry_wave(wave, user_name(), resume=resume, run_id=run_id)
    resumed = {run: spec.resumed_from for run in ids if (spec := project.run(run).spec()).resumed_from}
    ok = follow(project, wave, quiet=as_json) if wait else True
    if as_json:
        print_json({"queued": ids, "resumed": resumed})
    else:
        console.print(f"Queued again: {', '.join(ids)}")
        for run in ids if resume else []:
            how = f"goes on from {resumed[run]}" if run in resumed else "starts from scratch: no whole checkpoint"
            console.print(f"  {run} {how}")
    sys.exit(0 if ok else 1)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("value", type=int)
@project_option
@json_option
def priority(run_id: str, value: int, project_path: Path | None, as_json: bool) -> None:
    """Move the queued RUN: a higher VALUE starts first; 0 is what runs have at first."""
    project = find_project(project_path)
    with Queue(project) as queue:
        queue.set_priority(run_id, value, user_name())
    if as_json:
        print_json({"id": run_id, "priority": value})
    else:
        console.print(f"{run_id}: priority {value}")


@click.command()
@project_option
@json_option
def reindex(project_path: Path | None, as_json: bool) -> None:
    """Rebuild the database's index of runs from the files."""
    project = find_project(project_path)
    found = rebuild(project)
    if as_json:
        print_json({"runs": found})
    else:
        console.print(f"{found} runs read from {project.waves_path}")
