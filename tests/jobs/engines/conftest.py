"""A real Slurm for the tests of this folder, started once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
