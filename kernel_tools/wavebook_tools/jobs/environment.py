"""What of the environment a run may see, and how its devices are told to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wavebook_tools.records.redaction import SECRET_NAME
from wavebook_tools.records.states import RUN_FOLDER_VARIABLE

VISIBLE = "CUDA_VISIBLE_DEVICES"

HOST_VISIBLE = "WAVEBOOK_HOST_VISIBLE_DEVICES"
"""What CUDA_VISIBLE_DEVICES was for the queue, ``all`` where it was not set: a queue that a run's process starts anew
must see all its devices again."""


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without variables that are named like secrets.

    A run executes code that an agent may have written and keeps what it prints, so it gets no key it does not need.
    """
    return {name: value for name, value in environment.items() if not SECRET_NAME.search(name)}


def of_run(environment: Mapping[str, str], gpus: Sequence[str]) -> dict[str, str]:
    """The environment of a run on these GPUs, named by UUID; on the CPU where there are none."""
    return {
        **without_secrets(environment),
        HOST_VISIBLE: environment.get(VISIBLE, "all"),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        VISIBLE: ",".join(gpus),
    }


def of_queue(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a queue that is started from this one: that of the host, also from inside a run."""
    queue = {name: value for name, value in environment.items() if name not in {HOST_VISIBLE, RUN_FOLDER_VARIABLE}}
    host = environment.get(HOST_VISIBLE)
    if host == "all":
        queue.pop(VISIBLE, None)
    elif host is not None:
        queue[VISIBLE] = host
    return {**queue, "PYTHONUNBUFFERED": "1"}
