"""Replays as documents, as pages and as a command."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.projects import Drawn, draw_wave
from wavebook_tools.records.project import Project
from wavebook_tools.replay import REPLAY_MIME, Replay, keep_replay, page

RECORDED = Path(__file__).with_name("rough.json")


@pytest.fixture
def document() -> dict[str, Any]:
    """The recorded rollout."""
    recorded: dict[str, Any] = json.loads(RECORDED.read_text())
    return recorded


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return draw_wave(tmp_path / "project", [Drawn("baseline", {0: 0.5, 1: 0.5}, baseline=True)])


def wavebook(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wavebook", "replay", *arguments]
    return subprocess.run(command, cwd=project.root, capture_output=True, text=True, timeout=120, check=False)


def test_a_few_seconds_are_small(document: dict[str, Any]) -> None:
    replay = Replay.model_validate(document)
    assert len(replay.robots) == 3
    assert replay.seconds == pytest.approx(3.0)
    assert RECORDED.stat().st_size < 300_000
    assert len(page(replay).encode()) < 1_000_000


def test_a_cells_output_has_a_picture_for_those_without_the_player(document: dict[str, Any], project: Project) -> None:
    record = project.run("exp001/s0")
    output = keep_replay(record, document)
    assert Replay.model_validate_json(output.bundle[REPLAY_MIME]["item"]) == Replay.model_validate(document)
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', output.bundle["text/html"])
    assert picture is not None
    assert base64.b64decode(picture[1]).decode().count("<polyline") == 6
    assert output.text == "Replay of exp001/s0: 3 robots, 3.0 s"


def test_the_page_runs_its_own_scripts_and_nothing_else(document: dict[str, Any]) -> None:
    document["title"] = "</script><script>alert(1)</script>"
    document["robots"][0]["command"] = "<img src=x onerror=alert(1)>"
    html = page(Replay.model_validate(document))
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL)
    assert [attributes for attributes, _ in scripts] == [' type="application/json" id="data"', "", ""]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    for _, script in scripts[1:]:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy[1]
    assert "<img" not in html


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda d: d.update(format=2), "format"),
        (lambda d: d.update(robots=[]), "robots"),
        (lambda d: d["robots"][0].update(frames=7), "motion of .* holds"),
        (lambda d: d["robots"][0].update(motion="§"), "not base64"),
        (lambda d: d["robots"][0]["ground"].update(rows=3), "ground's heights holds"),
        (lambda d: d["robot"]["bodies"][0]["shapes"][0].update(kind="mesh"), "kind"),
    ],
)
def test_a_damaged_replay_is_refused(
    document: dict[str, Any], damage: Callable[[dict[str, Any]], None], problem: str
) -> None:
    damage(document)
    with pytest.raises(ValidationError, match=problem):
        Replay.model_validate(document)


def test_the_command_writes_a_page(document: dict[str, Any], project: Project) -> None:
    keep_replay(project.run("exp001/s0"), document)
    done = wavebook(project, "exp001/s0", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    written = project.run("exp001/s0").path / "replay.html"
    assert (told["path"], told["bytes"]) == (str(written), written.stat().st_size)
    assert [robot["command"] for robot in told["robots"]] == [robot["command"] for robot in document["robots"]]

    refused = wavebook(project, "exp001/s1")
    assert refused.returncode == 2
    assert "exp001/s1 holds no replay" in refused.stderr
    assert "there is one of exp001/s0" in refused.stderr
