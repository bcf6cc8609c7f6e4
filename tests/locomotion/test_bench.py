"""The benchmark as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("isaaclab")


@pytest.mark.sim
def test_it_prints_one_document_and_nothing_else() -> None:
    command = [
        sys.executable,
        "-m",
        "wavebook_locomotion.bench",
        "simulate",
        "--num-envs",
        "2",
        "--steps",
        "3",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document["tasks"]) == {"Wavebook-Velocity-Flat-DHAV1", "Wavebook-Velocity-Rough-DHAV1"}
    assert all(measured["env_steps_per_second"] > 0 for measured in document["tasks"].values())
    assert document["environment"]["isaaclab"] == "3.0.0"


def test_a_wrong_call_ends_with_2() -> None:
    command = [sys.executable, "-m", "wavebook_locomotion.bench", "simulate", "--num-envs", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "at least 1" in done.stderr
