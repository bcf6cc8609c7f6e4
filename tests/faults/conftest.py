"""The projects and machines of the queue's tests, and disks that can be filled and made read-only."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.jobs.conftest import EVALUATION, TRAINING, driver, machine, project, queue, write_template
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project

__all__ = ["driver", "machine", "project", "queue"]

DISK_SIZE = 64
"""Size of the small disk [MB]."""


def mount(*arguments: str | Path) -> None:
    """Mount, or skip the test where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only also for root; what is open for writing stays so, as on a disk with open files."""
    mount("--bind", folder, folder)
    try:
        mount("-o", "remount,bind,ro", folder)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size={DISK_SIZE}m", "wavebook-test", folder)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def open_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Path, str], Queue]]:
    """Makes the queue of a new project with a wavebook.toml; what is left in it at the end is cancelled."""
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    opened: list[Queue] = []

    def open_(root: Path, settings: str = "") -> Queue:
        project = Project.create(root)
        project.settings_path.write_text(settings)
        write_template(project, "quick", TRAINING, EVALUATION)
        opened.append(Queue(project))
        return opened[-1]

    yield open_
    for one in opened:
        with one:
            for row in one.store.all():
                if not row.state.final:
                    one.cancel(row.id, "the test")
            one.wait([row.id for row in one.store.all()], timeout=30)
