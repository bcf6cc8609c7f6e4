"""What commands that need the simulator share; the command line itself never imports it."""

from __future__ import annotations

import json
from pathlib import Path

from wavebook_tools.errors import WavebookError
from wavebook_tools.notebooks.simulator import missing_for, missing_packages
from wavebook_tools.records.keeping import newest_model
from wavebook_tools.records.project import RunRecord
from wavebook_tools.records.run import RunSpec


def require_simulator(what: str) -> None:
    """Refuse ``what`` where the simulator is not installed.

    Raises:
        WavebookError: Says what is missing and how to install it.
    """
    if missing := missing_packages():
        raise WavebookError(missing_for(what, missing))


def saved_policy(record: RunRecord) -> Path:
    """The newest checkpoint of a run that can be played.

    Raises:
        WavebookError: There is none.
    """
    checkpoint = newest_model(record.checkpoints_path)
    if checkpoint is None:
        raise WavebookError(
            f"there is no checkpoint in {record.checkpoints_path}: the run saved none, or they were removed"
        )
    return checkpoint


def configuration_of(spec: RunSpec) -> str:
    """What a process with the simulator needs to set a run's task up, as JSON."""
    return json.dumps({"task": spec.task, "overrides": spec.overrides, "seed": spec.seed})
