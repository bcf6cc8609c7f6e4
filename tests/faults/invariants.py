"""What must hold of every record, whatever was killed."""

from __future__ import annotations

import json
import re

from wavebook_tools.jobs import leases
from wavebook_tools.jobs.devices import list_devices
from wavebook_tools.jobs.processes import find_supervisor, marked_processes
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunState


def check_runs(queue: Queue) -> dict[str, int]:
    """Assert that every run has ended in a true state and left nothing; returns how many ended in which state."""
    counts: dict[str, int] = {}
    for row in queue.store.all():
        record = queue.project.run(row.id)
        assert row.state.final, f"{row.id} is {row.state}"
        counts[row.state] = counts.get(row.state, 0) + 1
        if row.state is RunState.DONE:
            assert record.result() is not None, f"{row.id} is done and has no result"
        else:
            assert row.message, f"{row.id} is {row.state} and does not say why"
        lines = record.events_path.read_bytes().split(b"\n")
        assert lines[-1] == b"", f"{row.id}: the last event is half a line"
        events = [json.loads(line) for line in lines[:-1]]
        states = [event["state"] for event in events if event["kind"] == "state"]
        assert states.count("starting") <= 1, f"{row.id} was started twice"
        assert states[-1] == row.state, f"{row.id}: the files say {states[-1]}, the database {row.state}"
        iterations = [event["iteration"] for event in events if event["kind"] == "metric"]
        assert iterations == list(range(len(iterations))), f"{row.id} lost events: {iterations}"
        # Each iteration is an event before it is printed, so all that were printed must be there.
        printed = record.log_path.read_text() if record.log_path.exists() else ""
        assert len(re.findall(r"^iteration \d+/", printed, re.MULTILINE)) <= len(iterations)
        assert find_supervisor(record.path) is None
        assert marked_processes(record.path) == [], f"{row.id} left processes"
    return counts


def check_devices(project: Project) -> None:
    """Assert that no device is held."""
    for device in list_devices():
        assert leases.holders(device.id) == [], f"{device.id} is still held"
