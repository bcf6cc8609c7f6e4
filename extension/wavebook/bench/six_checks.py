"""What must be seen of the six runs on two GPUs, each check with what was seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from wavebook_tools.jobs.devices import list_devices
from wavebook_tools.jobs.processes import marked_processes
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project

if TYPE_CHECKING:
    from wavebook.bench.six_runs import Seen

EXPECTED = {
    "pinned-first": "done",
    "pinned-second": "done",
    "too-large": "failed",
    "cancelled": "cancelled",
    "hung": "hung",
    "automatic": "done",
}
"""How each run ends, by the slug of its experiment."""

CANCEL_LIMIT = 10.0
"""Longest time from the request to end a run that trains until its GPU is free [s]."""

STACKS_LIMIT = 40.0
"""Longest time from the end of the patience to the end of a hung run: its stacks are taken meanwhile [s]."""

Runs = Mapping[str, Mapping[str, Any]]


@dataclass
class Checks:
    """Checks in the order in which they were made."""

    found: list[tuple[str, bool, Any]] = field(default_factory=list)

    def add(self, what: str, holds: object, seen: Any) -> None:
        """Note whether something holds, and what was seen."""
        self.found.append((what, bool(holds), seen))

    @property
    def hold(self) -> bool:
        """Whether all do."""
        return all(holds for _, holds, _ in self.found)

    def as_list(self) -> list[dict[str, Any]]:
        """The checks as plain JSON data."""
        return [{"what": what, "holds": holds, "seen": seen} for what, holds, seen in self.found]


def check_runs(
    checks: Checks, project: Project, plan: WavePlan, runs: Runs, *, gpus: Sequence[str], patience: float, seen: Seen
) -> None:
    """Check the records of the six runs.

    Args:
        runs: As ``wavebook status`` tells them, by the slug of their experiment.
        gpus: The UUIDs of the two GPUs, the first pin's first.
        patience: How long a training was allowed to be silent [s].
        seen: What was done to them.
    """
    checks.add("the wave ended in time", not seen.out_of_time, not seen.out_of_time)
    states = {slug: run["state"] for slug, run in runs.items()}
    checks.add("each run ended as it should", states == EXPECTED, states)
    _check_places(checks, runs, gpus)
    _check_results(checks, project, runs)
    _check_cancelled(checks, project, runs["cancelled"], seen)
    _check_hung(checks, project, runs["hung"], patience, seen)
    memory = [alert for alert in _alerts(project, runs["too-large"]) if alert["finding"] == "out of memory"]
    told = {"message": runs["too-large"]["message"], "suggestion": memory[0]["suggestion"] if memory else None}
    checks.add("the run that did not fit is told as out of memory", memory and memory[0]["suggestion"], told)
    actors = sorted({f"{line.actor}: {line.what}" for line in project.ledger.read()})
    wanted = {"human: cancel", "watchdog: end run"}
    checks.add("the ledger says who ended what", wanted <= set(actors), actors)
    left = {run["id"]: marked_processes(project.run(run["id"]).path) for run in runs.values()}
    checks.add("no process of a run is left", not any(left.values()), {run: pids for run, pids in left.items() if pids})
    held = {device.label: device.holders for device in list_devices() if device.id in gpus}
    checks.add("both GPUs are free", len(held) == len(gpus) and not any(held.values()), held)
    wave = project.wave(plan.id)
    written = [path.name for path in (wave.comparison_path, wave.report_path) if path.exists()]
    checks.add("the wave has its comparison and its report", len(written) == 2, written)


def _check_places(checks: Checks, runs: Runs, gpus: Sequence[str]) -> None:
    pinned = [runs[slug]["device"] for slug in ("pinned-first", "pinned-second")]
    checks.add("pinned runs went where they were sent", pinned == list(gpus), pinned)
    automatic = {run["id"]: run["device"] for run in runs.values() if run["devices"] == ["auto"]}
    checks.add("the queue used both GPUs for the others", set(automatic.values()) == set(gpus), automatic)
    first, second = runs["pinned-first"], runs["pinned-second"]
    both = min(first["ended"], second["ended"]) - max(first["started"], second["started"])
    checks.add("two runs trained at the same time", both > 0, f"{both:.1f} s")
    twice = [
        f"{one['id']} and {other['id']}"
        for one, other in combinations([run for run in runs.values() if run["started"]], 2)
        if one["device"] == other["device"] and one["started"] < other["ended"] and other["started"] < one["ended"]
    ]
    checks.add("no GPU was given to two runs at once", not twice, twice)


def _check_results(checks: Checks, project: Project, runs: Runs) -> None:
    wanted = [run["id"] for slug, run in runs.items() if EXPECTED[slug] == "done"]
    found = {run: result.error_vel_xy for run in wanted if (result := project.run(run).result()) is not None}
    checks.add("runs that are done have a result [m/s]", len(found) == len(wanted), found)
    others = [run["id"] for run in runs.values() if run["id"] not in wanted and project.run(run["id"]).result()]
    checks.add("the others have none", not others, others)


def _check_cancelled(checks: Checks, project: Project, run: Mapping[str, Any], seen: Seen) -> None:
    request = project.run(run["id"]).cancel_path
    took = round(run["ended"] - json.loads(request.read_bytes())["t"], 2) if request.exists() else None
    checks.add("its GPU was free soon after the request [s]", took is not None and took < CANCEL_LIMIT, took)
    checks.add(
        "nothing of the cancelled run was left then", seen.tree > 2 and not seen.left, f"{seen.left} of {seen.tree}"
    )
    notebook = project.run(run["id"]).notebook_path.read_text(encoding="utf-8")
    kept = "iteration 1/" in notebook and "cancelled by" in notebook
    checks.add("its notebook keeps its outputs and says who cancelled it", kept, run["message"])


def _check_hung(checks: Checks, project: Project, run: Mapping[str, Any], patience: float, seen: Seen) -> None:
    found = [alert["finding"] for alert in _alerts(project, run)]
    checks.add("the stopped kernel was found as hung", "hang" in found, run["message"])
    took = None if seen.stopped is None else round(run["ended"] - seen.stopped, 1)
    within = took is not None and took < patience + STACKS_LIMIT
    checks.add("it was ended soon after the patience that was set [s]", within, took)
    path = project.run(run["id"]).stacks_path
    stacks = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [line for line in stacks.splitlines() if line.startswith("====") or "State:" in line]
    checks.add("its stacks were kept before the kill", "(stopped)" in stacks and "Thread" in stacks, lines[:6])
    checks.add("its kernel is gone", seen.kernel_gone, seen.kernel_gone)


def _alerts(project: Project, run: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [event for event in project.run(run["id"]).events() if event["kind"] == "alert"]
