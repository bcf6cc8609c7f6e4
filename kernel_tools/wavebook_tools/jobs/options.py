"""The settings that move the queue, read without pydantic where they are the defaults.

The dispatcher starts when the first run is submitted and is waited for; validating a file that says nothing about the
queue would take most of its start.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from wavebook_tools.records.project import Project

if TYPE_CHECKING:
    from wavebook_tools.records.settings import Settings

RELEVANT = {"devices": {"runs_per_gpu", "foreign"}, "queue": None, "limits": None, "watchdog": None, "engine": None}
"""Sections of wavebook.toml that the queue reads, and which names of them; None for all."""


@dataclass(frozen=True)
class QueueOptions:
    """What of wavebook.toml the queue goes by; the defaults are those of ``Settings``."""

    runs_per_gpu: int = 1
    foreign: Literal["warn", "block"] = "warn"
    max_running: int | None = None
    free_disk_bytes: int = 500_000_000
    patience: Mapping[str, float] = field(default_factory=dict)
    """How long a run may be silent, by phase, where a person has set it [s]."""
    cluster: bool = False
    """Whether runs go to a cluster, so that the settings must be read whole."""

    @classmethod
    def of(cls, settings: Settings) -> QueueOptions:
        """From validated settings."""
        from wavebook_tools.jobs.engines import cluster_for

        limits = settings.limits.of_run()
        return cls(
            runs_per_gpu=settings.devices.runs_per_gpu,
            foreign=settings.devices.foreign,
            max_running=settings.queue.max_running,
            free_disk_bytes=limits.free_disk_bytes,
            patience=settings.watchdog.patience(),
            cluster=cluster_for(settings) is not None,
        )


def read_options(project: Project) -> QueueOptions:
    """The queue's options of a project.

    Raises:
        UsageError: wavebook.toml is wrong.
    """
    try:
        document = tomllib.loads(project.settings_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return QueueOptions()
    except ValueError:
        document = {"queue": None}  # the validation says what is wrong
    for section, names in RELEVANT.items():
        if section in document and (names is None or names & set(document[section])):
            return QueueOptions.of(project.settings())
    return QueueOptions()
