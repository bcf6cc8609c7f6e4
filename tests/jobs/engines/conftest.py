"""A real Slurm and a real Ray for the tests of this folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.engines.ray_cluster import VERSION as RAY_VERSION
from tests.jobs.engines.ray_cluster import RayCluster, running_ray
from tests.jobs.engines.slurm_cluster import SlurmCluster, running_cluster


@pytest.fixture(scope="session")
def slurm_session() -> Iterator[SlurmCluster]:
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        os.chmod(folder, 0o755)  # munge wants a socket that everybody reaches, which pytest's folders forbid
        with running_cluster(Path(folder)) as cluster:
            yield cluster


@pytest.fixture
def slurm(slurm_session: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmCluster:
    """A cluster with four free GPUs, which this process and those that it starts talk to."""
    for name, value in slurm_session.environment.items():
        monkeypatch.setenv(name, value)
    return slurm_session


@pytest.fixture(scope="module")  # another process may wait for its end
def ray_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment = cache / "wavebook" / f"ray-{RAY_VERSION}"
    # A path of Ray's sockets may not be long, which pytest's folders are.
    with tempfile.TemporaryDirectory(prefix="ray-") as folder, running_ray(Path(folder), environment) as cluster:
        yield cluster


@pytest.fixture
def ray(ray_session: RayCluster, monkeypatch: pytest.MonkeyPatch) -> RayCluster:
    """A cluster of two nodes with two GPUs each, whose token this process and those that it starts have."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", ray_session.token)
    return ray_session
