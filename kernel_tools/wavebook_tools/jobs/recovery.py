"""True states from records: what a run's files say when nobody is left to say it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any

from wavebook_tools.jobs.store import QueuedRun, QueueStore
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.project import RunRecord
from wavebook_tools.records.states import RunState

LAST = 16 * 1024
"""How much of events.jsonl is read to see whether a run has ended [bytes]."""

TAIL = 256 * 1024
"""How much of events.jsonl is read for the newest state and metrics [bytes]."""


def tail_events(record: RunRecord, *, size: int = TAIL) -> list[dict[str, Any]]:
    """The last events of a run, oldest first, from the last ``size`` bytes of its file."""
    try:
        start = max(0, record.events_path.stat().st_size - size)
    except OSError:
        return []
    return list(record.events(start=start))


def newest(events: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    """The newest event of a kind."""
    return next((event for event in reversed(events) if event["kind"] == kind), None)


def newest_state(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The newest state event; what a run's own code wrote and is none is passed over."""
    known = set(RunState)
    whole = (e for e in reversed(events) if e["kind"] == "state" and event_time(e) is not None)
    return next((e for e in whole if str(e.get("state")) in known), None)


def event_time(event: dict[str, Any]) -> float | None:
    """When an event was written [Unix s]; None where a run's own code wrote none."""
    written = event.get("t")
    return float(written) if isinstance(written, int | float) else None


def newest_metric(events: list[dict[str, Any]]) -> tuple[int, dict[str, float]] | None:
    """How many iterations the newest metric event counts, and its numbers; damaged events are passed over."""
    for event in reversed(events):
        iteration, values = event.get("iteration"), event.get("values")
        if event["kind"] == "metric" and isinstance(iteration, int) and isinstance(values, dict):
            return iteration + 1, _numbers(values)
    return None


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    return {name: v for name, v in values.items() if isinstance(v, int | float) and not isinstance(v, bool)}


@dataclass(frozen=True)
class Summary:
    """What a list shows of a run that has ended."""

    iteration: int | None
    """How far it came."""
    metrics: dict[str, float]
    """Those of its result, else of its newest iteration."""
    device_name: str | None = None
    """As its result calls the device, ``NVIDIA H100 80GB HBM3``; None where it has no result."""


def summary(record: RunRecord) -> Summary:
    """What a run's files tell of it in short."""
    iteration, metrics = newest_metric(tail_events(record)) or (None, {})
    with contextlib.suppress(Exception):  # a damaged result is told where the result is read, not in a list
        result = record.result()
        if result is not None:
            values = result.model_dump(mode="json", exclude_none=True)
            name = values.get("device_name")
            return Summary(iteration, _numbers(values), name if isinstance(name, str) else None)
    return Summary(iteration, metrics)


def has_started(record: RunRecord) -> bool:
    """Whether a run's supervisor has ever written into its record; what a retry prepared there does not count."""
    return any(e["kind"] == "state" and e.get("state") != RunState.QUEUED for e in record.events())


def start_time(record: RunRecord) -> float | None:
    """When a run's supervisor started, None where it has not [Unix s]."""
    first = next((e for e in record.events() if e["kind"] == "state" and e.get("state") == RunState.STARTING), None)
    return event_time(first) if first is not None else None


def final_event(record: RunRecord) -> dict[str, Any] | None:
    """The event with which a run ended, or None where it has not."""
    last = newest_state(tail_events(record, size=LAST))
    return last if last is not None and RunState(last["state"]).final else None


@dataclass(frozen=True)
class Finish:
    """The final state that a run was given."""

    state: RunState
    message: str | None
    from_record: bool
    """Whether its own supervisor told it; one that was killed tells nothing."""


def _ended_for(events: list[dict[str, Any]]) -> str | None:
    """Why a run was being ended when nobody could write any more that it has, as on a disk that it had filled."""
    alert = newest(events, "alert")
    if alert is None or not alert.get("ends_run"):
        return None
    return str(alert.get("message") or "") or None  # events that a run's own code wrote may lack it


def finish_from_record(
    store: QueueStore, run: QueuedRun, record: RunRecord, engine_message: str | None = None
) -> Finish:
    """Give a run whose supervisor has ended its final state: the one its record tells, or ``failed``.

    Args:
        engine_message: How it ended in the words of the scheduler that executed it.
    """
    past = tail_events(record)
    last = newest_state(past)
    state = RunState(last["state"]) if last else RunState.QUEUED
    message = last.get("message") if last else None
    from_record = state.final
    ended = float(last["t"]) if last and from_record else None
    if not from_record:
        if run.cancellation is not None:
            state, message = RunState.CANCELLED, run.cancellation.message()
        elif record.result_path.exists():
            state, message = RunState.DONE, "finished; its supervisor was killed after the evaluation"
        else:
            lost = "its supervisor was killed, the disk was full, or the machine was restarted"
            state, message = RunState.FAILED, engine_message or _ended_for(past) or lost
        if os.path.isdir(record.path):
            with contextlib.suppress(OSError), contextlib.closing(EventWriter(record.events_path)) as events:
                events.write("state", state=state, message=message)
    store.finish(run.id, state, message=message, ended=ended, **vars(summary(record)))
    return Finish(state, message, from_record)
