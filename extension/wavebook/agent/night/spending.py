"""What a night has spent of its grant, and when the rest will be spent."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wavebook.agent.estimate import Estimate
from wavebook.agent.night.grant import NightRecord
from wavebook_tools.jobs.store import QueuedRun, QueueStore
from wavebook_tools.records.project import Project


@dataclass(frozen=True)
class Spending:
    """Time that the runs of a night held devices."""

    hours: float
    """Until now, over all devices [h]. A GPU counts once; so does the CPU of a run that has no GPU."""
    devices: int
    """Held now."""
    runs: tuple[QueuedRun, ...]
    """All of the night."""

    def seconds_left(self, night: NightRecord, now: float) -> float:
        """Until the device hours or the night's time are spent, if all goes on as now [s]."""
        by_clock = night.deadline - now
        if not self.devices:
            return by_clock
        return min(by_clock, (night.terms.gpu_hours - self.hours) * 3600 / self.devices)


def spending(project: Project, waves: Sequence[int], now: float | None = None) -> Spending:
    """What the runs of these waves have taken."""
    now = time.time() if now is None else now
    with contextlib.closing(QueueStore(project)) as store:
        runs = tuple(run for wave in waves for run in store.of_wave(wave))
    taken = sum(max(0.0, (run.ended or now) - run.started) * devices_of(run) for run in runs if run.started)
    held = sum(devices_of(run) for run in runs if run.started and not run.state.final)
    return Spending(taken / 3600, held, runs)


def devices_of(run: QueuedRun) -> int:
    """How many devices a run holds: its GPUs, or the CPU."""
    return max(1, run.gpu_count)


def spent_up(night: NightRecord, spent: Spending, now: float) -> str | None:
    """Which limit of the grant is reached; None where no one is."""
    if spent.hours >= night.terms.gpu_hours:
        return f"{spent.hours:.3g} of {night.terms.gpu_hours:g} device hours are spent"
    if now >= night.deadline:
        return f"the {night.terms.hours:g} hours are over"
    return None


def spent_before_its_end(night: NightRecord, spent: Spending, cost: Estimate, now: float) -> str | None:
    """Why a wave of that cost would not come to its end within the grant; None where it would, or nobody knows."""
    hours = cost.gpu_hours or (None if cost.seconds is None else cost.seconds / 3600)
    left = night.terms.gpu_hours - spent.hours
    if hours is not None and hours > left:
        return f"the next wave would take about {hours:.2g} device hours and {max(0.0, left):.2g} are left"
    if cost.seconds is not None and now + cost.seconds > night.deadline:
        minutes = max(0.0, night.deadline - now) / 60
        return f"the next wave would take about {cost.seconds / 60:.0f} minutes and {minutes:.0f} are left"
    return None
