"""Where a win is repeated: on another device where there is one."""

from __future__ import annotations

from wavebook.agent.evidence import Tried
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.devices import Device, list_devices
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project


def other_device(project: Project, subject: Tried) -> Device | None:
    """A GPU on which a configuration did not run yet, one of another kind before another of the same; None where there
    is none."""
    runs = [run for experiment in subject.experiments for run in experiment.runs]
    kinds = {str(result.device) for run in runs for result in run.results}
    status = {run["id"]: run["device"] or "" for wave in project_status(project)["waves"] for run in wave["runs"]}
    places = {place for run in runs for place in status.get(run.id, "").split(",") if place}
    try:
        gpus = [device for device in list_devices() if device.kind == "gpu" and device.id not in places]
    except WavebookError:
        return None
    other = next((gpu for gpu in gpus if gpu.name not in kinds), None)
    # Of one kind another card counts only where it is known on which one the runs were.
    return other or (gpus[0] if gpus and places else None)
