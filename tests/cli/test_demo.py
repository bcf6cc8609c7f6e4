"""``wavebook demo``, small: from a directive to a comparison, every part real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import wavebook
from wavebook_tools.notebooks.simulator import missing_packages

SETTINGS = """\
[training]
task = "Wavebook-Velocity-Flat-DHAV1"
num_envs = 8
iterations = 3

[evaluation]
num_envs = 5
seconds = 1.1
"""


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.skipif(bool(missing_packages()), reason="the simulator (extra sim) is not installed")
def test_the_demo_ends_with_a_comparison_of_three_real_runs(tmp_path: Path) -> None:
    project = tmp_path / "demo"
    project.mkdir()
    (project / "wavebook.toml").write_text(SETTINGS)
    done = wavebook("demo", "--project", str(project), project=tmp_path, timeout=580)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().splitlines()[-1].startswith("Open ")
    status = json.loads(wavebook("status", "--json", project=project).stdout)
    runs = status["waves"][0]["runs"]
    assert len(runs) >= 3
    assert {run["state"] for run in runs} == {"done"}
    assert len({run["experiment"] for run in runs}) == 2
    for run in runs:
        folder = (project / run["notebook"]).parent
        for name in ("notebook.ipynb", "spec.json", "events.jsonl", "result.json", "log.txt"):
            assert (folder / name).stat().st_size > 0, folder / name
    comparison = project / status["waves"][0]["comparison"]
    assert "track" in comparison.read_text()
    assert (project / status["waves"][0]["notebook"]).exists()
    decisions = [json.loads(line)["what"] for line in (project / "ledger.jsonl").read_text().splitlines()]
    assert decisions[:3] == ["directive", "plan", "approve"]
    assert "verdict" in decisions
