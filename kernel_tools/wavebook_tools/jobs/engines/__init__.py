"""Where runs are executed: on this machine, or through a cluster's scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.engines.base import Engine
from wavebook_tools.jobs.engines.local import LocalEngine
from wavebook_tools.jobs.store import LOCAL, QueuedRun

if TYPE_CHECKING:  # pydantic takes most of a dispatcher's start, and a queue on this machine needs no settings
    from wavebook_tools.records.engine_settings import EngineSettings
    from wavebook_tools.records.settings import Settings


@dataclass(frozen=True)
class ClusterEngine:
    """The engine of a cluster, and what it is called in the records."""

    name: str
    engine: Engine


def engine_for(settings: EngineSettings) -> ClusterEngine | None:
    """The cluster that these settings name; None for this machine, whose engine is the dispatcher's own."""
    if settings.name == "slurm":
        from wavebook_tools.jobs.engines.slurm import SlurmEngine

        return ClusterEngine("slurm", SlurmEngine(settings.slurm))
    if settings.name == "ray":
        from wavebook_tools.jobs.engines.ray import RayEngine

        return ClusterEngine("ray", RayEngine(settings.ray))
    return None


def cancel(run: QueuedRun, cluster: ClusterEngine | None) -> None:
    """Tell whatever executes a run that it is to end; a run that nothing executes yet is fine.

    Args:
        cluster: The cluster that the settings name.

    Raises:
        WavebookError: The run is on a cluster that the settings do not name any more, or that does not answer.
    """
    if run.native is None:
        return
    if run.engine == LOCAL:
        LocalEngine().cancel(run.native)
    elif cluster is None or cluster.name != run.engine:
        raise WavebookError(f"the run {run.id!r} is on {run.engine!r}, which wavebook.toml does not name any more")
    else:
        cluster.engine.cancel(run.native)


def cluster_for(settings: Settings) -> ClusterEngine | None:
    """The cluster that a project's settings name; None for this machine."""
    return engine_for(settings.engine)
