"""A project that has something to steal, and something to change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.agent.hostile.inputs import SECRET
from tests.projects import TASK, Drawn, draw_wave
from wavebook_tools.records.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Project:
    """A project with a secret in the environment, in a hidden file, outside the project, and in the server's folder."""
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    project = Project.create(tmp_path / "project", f'[training]\ntask = "{TASK}"\n[devices]\nuse = ["cpu"]\n')
    draw_wave(
        project.root,
        [Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True), Drawn("heavier", {0: "failed"})],
    )
    (tmp_path / "outside.txt").write_text("TOP SECRET OUTSIDE")
    (project.root / ".env").write_text("TOP SECRET OUTSIDE")
    (project.root / "leak").symlink_to(tmp_path / "outside.txt")
    (project.root / "up").symlink_to(tmp_path)
    os.mkfifo(project.root / "pipe")
    return project
