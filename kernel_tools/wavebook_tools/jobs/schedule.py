"""When runs will start and end, from the times of earlier runs: the queue played forward."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.devices import Device, select_devices
from wavebook_tools.jobs.store import QueuedRun
from wavebook_tools.jobs.timing import RunTiming
from wavebook_tools.records.states import RunState


@dataclass(frozen=True)
class Expectation:
    """When a run is expected to start and end, Unix seconds; None where no earlier run tells."""

    start: float | None = None
    end: float | None = None


Timings = Callable[[QueuedRun], Sequence[RunTiming]]
"""The times of earlier runs like this one."""


def expected_seconds(run: QueuedRun, timings: Sequence[RunTiming]) -> float | None:
    """How long a run takes from its start to its end [s]; the median of earlier runs."""
    return median(timing.seconds(run.iterations) for timing in timings) if timings else None


def expect(
    runs: Iterable[QueuedRun],
    devices: Sequence[Device],
    *,
    now: float,
    timings: Timings,
    iterations: Mapping[str, int],
    runs_per_gpu: int = 1,
    max_running: int | None = None,
) -> dict[str, Expectation]:
    """Play the queue forward.

    Args:
        runs: All runs that have not ended, in the order in which they are served.
        devices: The devices that they are placed on.
        now: The time, Unix seconds.
        timings: The times of earlier runs like one of these.
        iterations: How far the runs under way have come.
        runs_per_gpu: How many runs may share a device.
        max_running: Runs at a time.

    Returns:
        What to expect, by run. A run behind one whose time nobody knows has no expectation either.
    """
    expectations: dict[str, Expectation] = {}
    free: dict[str, list[float | None]] = {device.id: [now] * runs_per_gpu for device in devices}
    places: list[float] = [now] * max_running if max_running else []
    waiting = []
    for run in runs:
        if run.state is RunState.QUEUED:
            waiting.append(run)
            continue
        end = _end_of_running(run, timings(run), iterations.get(run.id, 0), now)
        expectations[run.id] = Expectation(run.started, end)
        for name in (run.device or "").split(","):
            slots = free.get(name, [])
            for slot in range(1 if run.share else len(slots)):
                slots[_first_free(slots) if run.share else slot] = end
        if places and end is not None:
            heapq.heappushpop(places, end)
    for run in waiting:
        expectations[run.id] = _place(run, timings(run), devices, free, places)
    return expectations


def _end_of_running(run: QueuedRun, timings: Sequence[RunTiming], done: int, now: float) -> float | None:
    if not timings or run.started is None:
        return None
    if done:
        left = median(t.per_iteration * max(0, run.iterations - done) + t.evaluating for t in timings)
        return now + left
    return max(now, run.started + median(t.seconds(run.iterations) for t in timings))


def _first_free(slots: Sequence[float | None]) -> int:
    return min(range(len(slots)), key=lambda slot: float("inf") if slots[slot] is None else slots[slot] or 0.0)


def _place(
    run: QueuedRun,
    timings: Sequence[RunTiming],
    devices: Sequence[Device],
    free: dict[str, list[float | None]],
    places: list[float],
) -> Expectation:
    try:
        allowed = [device.id for device in select_devices(run.devices, list(devices))]
    except UsageError:
        return Expectation()
    for name in allowed:
        free.setdefault(name, [places[0] if places else 0.0])

    def ready(name: str) -> float:
        slots = free[name]
        chosen = slots[_first_free(slots)] if run.share else (None if None in slots else max(s or 0.0 for s in slots))
        return float("inf") if chosen is None else chosen

    chosen = sorted(allowed, key=ready)[: run.gpus]
    start = max([ready(name) for name in chosen] + places[:1], default=float("inf"))
    seconds = expected_seconds(run, timings)
    end = None if seconds is None or start == float("inf") else start + seconds
    for name in chosen:
        slots = free[name]
        if run.share:
            slots[_first_free(slots)] = end
        else:
            slots[:] = [end] * len(slots)
    if places:
        heapq.heapreplace(places, float("inf") if end is None else end)
    return Expectation(None if start == float("inf") else start, end)
