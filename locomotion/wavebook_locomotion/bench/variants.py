"""The same training with one thing changed at a time, to see what that thing costs.

Each variant runs in a process of its own with a time limit, one after the other on each device, and gives one line of
JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

from wavebook_locomotion.errors import ConfigurationError, did_you_mean
from wavebook_locomotion.tasks import velocity

Settings = Mapping[str, Any]

_SOLVER = "env.sim.physics.solver_cfg"
_SUB_TERRAINS = "env.scene.terrain.terrain_generator.sub_terrains"
_MESHES = ("pyramid_stairs", "pyramid_stairs_inv", "boxes")

CAPACITY: Settings = {f"{_SOLVER}.njmax": 1000, f"{_SOLVER}.nconmax": 300}
"""Isaac Lab's. Kernels are launched over the capacity for constraint rows and contacts, not over what is in use."""

ITERATIONS: Settings = {f"{_SOLVER}.iterations": 10}
"""All robots wait for the one that needs most iterations; at most 8 were needed where somebody looked.

The line search is no such bound: with 20 of its 50 iterations a hundred searches in a step of 128 robots end early.
"""

SUBSTEP: Settings = {"env.sim.physics.num_substeps": 1}
"""Half the solves."""

FULL_PRECISION: Settings = {"torch.matmul_precision": "highest"}

SMOOTH: Settings = {"env.terrain_set": "gentle"}
"""Noise and slopes alone. Without meshes the ground becomes a height field, which is looked up instead of searched."""

HEIGHT_FIELD: Settings = {f"{_SUB_TERRAINS}.{name}.convert_to_heightfield": True for name in _MESHES}
"""All terrains as a height field: risers turn into slopes of one grid cell."""

NO_SCAN: Settings = {
    "env.scene.height_scanner": None,
    "env.observations.policy.height_scan": None,
    "env.rewards.base_height_l2.params.sensor_cfg": None,
}

TILE: Settings = {"newton.mesh_tile": None}
"""Newton's own 256 threads a collision shape, 128 where the ground is a height field (docs/robot.md)."""

NO_GRAPHS: Settings = {"ppo.graphs": False}

LEAN: Settings = {**ITERATIONS, "guard.record": False, "agent.check_for_nan": False}

VARIANTS: dict[str, Settings] = {
    "base": {},
    "wide tile": TILE,
    "no graphs": NO_GRAPHS,
    "tile of 64": {"newton.mesh_tile": 64},
    "stock capacity": CAPACITY,
    "substep": SUBSTEP,
    "lean": LEAN,
    "lean substep": {**LEAN, **SUBSTEP},
    "lean substep smooth": {**LEAN, **SUBSTEP, **SMOOTH},
    "lean smooth": {**LEAN, **SMOOTH},
    "lean substep height field": {**LEAN, **SUBSTEP, **HEIGHT_FIELD},
    "smooth": SMOOTH,
    "smooth wide tile": {**SMOOTH, **TILE},
    "smooth as mesh": {**SMOOTH, f"{_SUB_TERRAINS}.random_rough.convert_to_heightfield": False},
    "height field": HEIGHT_FIELD,
    "iterations": ITERATIONS,
    "few iterations": {f"{_SOLVER}.iterations": 5},
    "tolerance": {f"{_SOLVER}.tolerance": 1e-4},
    "no height scan": NO_SCAN,
    "full precision": FULL_PRECISION,
    "no records": {"guard.record": False},
    "no check": {"agent.check_for_nan": False},
    "triangles": {"env.sim.physics.collision_cfg.max_triangle_pairs": 500_000},
    "short history": {"env.scene.contact_forces.history_length": 1},
    "less": {**LEAN, **SUBSTEP, **SMOOTH, **NO_SCAN},
}
"""Settings by name, the most telling first."""

FLAT = "flat"
"""A variant that is the flat task as it stands: the least that a step can cost here."""


def names() -> list[str]:
    """All variants, in the order in which they are measured."""
    return [*VARIANTS, FLAT]


def measure(
    only: Sequence[str],
    *,
    task: str,
    settings: Settings,
    num_envs: int,
    iterations: int,
    warm_up: int,
    split: int,
    devices: Sequence[str],
    limit: float,
    total: float,
    tell: Callable[[dict[str, Any]], None],
) -> None:
    """Measure variants and tell of each as it ends.

    Args:
        only: Names of variants; all where empty.
        task: The task, but for ``flat``.
        settings: Settings for every variant, below the variant's own.
        num_envs: Robots.
        iterations: Iterations timed.
        warm_up: Iterations before.
        split: Iterations split by phase.
        devices: Each device measures one variant at a time.
        limit: Longest time of a variant [s].
        total: Time after which no other variant is begun [s].
        tell: Takes a variant's line: its name and figures, or its name and ``error``.

    Raises:
        ConfigurationError: There is no such variant.
    """
    for name in only:
        if name not in names():
            raise ConfigurationError(f"there is no variant {name!r}.{did_you_mean(name, names())}")
    waiting: SimpleQueue[str] = SimpleQueue()
    for name in only or names():
        waiting.put(name)
    end = time.monotonic() + total

    def work(device: str) -> None:
        while True:
            try:
                name = waiting.get_nowait()
            except Empty:
                return
            if time.monotonic() > end:
                tell({"variant": name, "error": "not begun: the time is up"})
                continue
            chosen = {**settings, **VARIANTS.get(name, {})}
            words = [f"--set={key}={json.dumps(value)}" for key, value in chosen.items()]
            words += ["--task", velocity.FLAT if name == FLAT else task, "--device", device]
            words += ["--num-envs", str(num_envs), "--iterations", str(iterations)]
            words += ["--warm-up", str(warm_up), "--split", str(split), "--without-bare", "--json"]
            tell({"variant": name} | _run(words, min(limit, max(end - time.monotonic(), 1.0))))

    with ThreadPoolExecutor(len(devices)) as pool:
        for done in [pool.submit(work, device) for device in devices]:
            done.result()


def _run(words: list[str], limit: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "wavebook_locomotion.bench", "train", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"took longer than {limit:.0f} s"}
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return {"error": " | ".join(lines[-3:])[-600:] or f"ended with {done.returncode}"}
    return line_of(json.loads(done.stdout))


def line_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a training benchmark in one short line, times in milliseconds of an iteration."""
    ours = document["ours"]
    line: dict[str, Any] = {
        "steps_per_second": round(ours["env_steps_per_second"]),
        "iteration_ms": round(1e3 * ours["iteration_seconds"]["median"]),
        "collection_ms": round(1e3 * ours["collection_seconds"]),
        "learning_ms": round(1e3 * ours["learning_seconds"]),
        "start_s": round(ours["start_seconds"]),
        "guard_resets": ours["guard_resets"],
        "solver": ours["solver"],
        "memory_gib": ours["device_memory_gib"] and round(ours["device_memory_gib"], 1),
    }
    if "split" in ours:
        line["split_ms"] = {phase: round(1e3 * value) for phase, value in ours["split"]["seconds"].items()}
        line["simulation_ms"] = {
            phase: round(1e3 * value) for phase, value in ours["split"]["simulation_seconds"].items()
        }
    return line
