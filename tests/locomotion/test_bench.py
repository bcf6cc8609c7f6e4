"""The benchmark as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("isaaclab")

from wavebook_locomotion.bench import variants
from wavebook_locomotion.bench.clock import PhaseClock
from wavebook_locomotion.bench.settings import prepare

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"


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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulate", "--num-envs", "0"], "must be at least 1"),
        (["train", "--iterations", "1"], "must be at least 2"),
        (["train", "--set", "env.sim.dt"], "write NAME=VALUE"),
        (["train", "--set", "env.sim.physics.solver_cfg.njmaxx=3"], "Did you mean 'njmax'"),
        (["variants", "--only", "stok capacity"], "Did you mean 'stock capacity'"),
    ],
)
def test_a_wrong_call_ends_with_2(words: list[str], message: str) -> None:
    command = [sys.executable, "-m", "wavebook_locomotion.bench", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_clock_takes_inner_phases_off_the_outer_one() -> None:
    now = 0.0

    class Robot:
        def walk(self) -> str:
            nonlocal now
            now += 2.0
            self.think()
            now += 1.0
            return "walked"

        def think(self) -> None:
            nonlocal now
            now += 7.0

    robot = Robot()
    clock = PhaseClock(lambda: None, lambda: now)
    clock.watch(robot, "walk", "legs")
    clock.watch(robot, "think", "brain")
    robot.walk()
    assert clock.seconds == {}
    clock.running = True
    assert robot.walk() == "walked"
    assert clock.seconds == {"legs": 3.0, "brain": 7.0}


def test_every_variant_fits_the_task() -> None:
    for name, chosen in variants.VARIANTS.items():
        prepared = prepare(ROUGH, chosen, num_envs=2, device="cpu", iterations=2)
        generator = prepared.config.env.scene.terrain.terrain_generator
        assert ("boxes" in generator.sub_terrains) == (chosen.get("env.terrain_set") != "gentle"), name
    lean = prepare(ROUGH, variants.VARIANTS["lean substep"], num_envs=2, device="cpu", iterations=2)
    assert lean.config.env.sim.physics.solver_cfg.njmax == 200
    assert lean.config.env.sim.physics.num_substeps == 1
    assert lean.switches["guard.record"] is False


@pytest.mark.sim
@pytest.mark.slow
def test_training_is_split_and_compared(tmp_path: Path) -> None:
    words = ["--task", FLAT, "--num-envs", "4", "--iterations", "2", "--warm-up", "1", "--split", "1", "--json"]
    words += ["--profile", str(tmp_path / "profile.txt"), "--set", "agent.num_steps_per_env=4"]
    command = [sys.executable, "-m", "wavebook_locomotion.bench", "train", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["ours"]["env_steps_per_second"] > 0
    assert document["time_over_bare"] > 0
    split = document["ours"]["split"]
    assert {"simulation", "policy", "learning", "writing", "other"} <= set(split["seconds"])
    assert sum(split["seconds"].values()) == pytest.approx(split["iteration_seconds"])
    assert sum(split["simulation_seconds"].values()) == pytest.approx(split["seconds"]["simulation"])
    assert "height scan" not in split["simulation_seconds"]
    assert document["ours"]["solver"]["rows_capacity"] == 100
    assert document["set"] == {"agent.num_steps_per_env": 4}
    text = (tmp_path / "profile.txt").read_text()
    assert "under cProfile" in text
    assert "Self CPU time total" in text
