"""Project folders as a finished wave leaves them, with curves that look like training; no simulator needed.

The numbers are drawn, not trained: nothing here stands for a result.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wavebook_tools.records.files import write_json
from wavebook_tools.records.plan import Budget, ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunSpec

TASK = "Wavebook-Velocity-Flat-DHAV1"
PROTOCOL = {"name": "wavebook", "version": 1, "hash": "sha256:feed"}
REWARD_TERMS = (
    "track_lin_vel_xy_exp",
    "track_ang_vel_z_exp",
    "lin_vel_z_l2",
    "ang_vel_xy_l2",
    "joint_torques_l2",
    "joint_acc_l2",
    "action_rate_l2",
    "feet_air_time",
    "feet_gait",
    "flat_orientation_l2",
)


@dataclass
class Drawn:
    """One experiment to draw: its overrides and, for each seed, its final error, or the state it ended in."""

    slug: str
    seeds: Mapping[int, float | str]
    """Seed to error_vel_xy [m/s], or to a run state: queued, running, failed, hung, cancelled."""
    overrides: dict[str, Any] = field(default_factory=dict)
    baseline: bool = False
    hypothesis: str = "A heavier tracking weight lowers the velocity error."
    protocol: dict[str, Any] = field(default_factory=lambda: dict(PROTOCOL))
    fields: dict[str, Any] = field(default_factory=dict)
    """Further fields of the ExperimentSpec."""


def draw_wave(
    root: Path,
    experiments: Sequence[Drawn],
    *,
    wave: int = 1,
    iterations: int = 60,
    slug: str = "tracking",
    rough: bool = False,
    first: int | None = None,
    **fields: Any,
) -> Project:
    """Write a wave with its runs into the project at ``root``, which is made where it is missing.

    Args:
        root: The project's folder.
        experiments: What to draw.
        wave: The wave's number.
        iterations: Training iterations of each run.
        slug: The wave's short name.
        rough: Whether there are terrain levels.
        first: Number of the first experiment; counted on through the project where absent.
        fields: Further fields of the WavePlan.
    """
    project = Project.create(root)
    if first is None:
        first = 1 + sum(len(record.plan().experiments) for record in project.waves())
    specs = [
        ExperimentSpec(
            id=f"exp{number:03d}",
            slug=drawn.slug,
            hypothesis=drawn.hypothesis,
            overrides=drawn.overrides,
            seeds=list(drawn.seeds),
            baseline=drawn.baseline,
            **drawn.fields,
        )
        for number, drawn in enumerate(experiments, start=first)
    ]
    plan = WavePlan(
        **{
            "id": wave,
            "slug": slug,
            "goal": "Lower the velocity error on flat ground",
            "directive": "make DHAV1 track velocity better",
            "task": TASK,
            "num_envs": 64,
            "iterations": iterations,
            "experiments": specs,
            "budget": Budget(max_runs=max(12, sum(len(spec.seeds) for spec in specs))),
            **fields,
        }
    )
    write_json(project.waves_path / plan.folder / "wave.json", plan)
    for spec, drawn in zip(specs, experiments, strict=True):
        for seed, outcome in drawn.seeds.items():
            draw_run(project, plan, spec, seed, outcome, protocol=drawn.protocol, rough=rough)
    return project


def draw_run(
    project: Project,
    plan: WavePlan,
    experiment: ExperimentSpec,
    seed: int,
    outcome: float | str,
    *,
    repeat: int = 0,
    protocol: dict[str, Any] | None = None,
    rough: bool = False,
) -> RunRecord:
    """Write one run: its spec, its events and, where it finished, its result."""
    spec = RunSpec.from_plan(plan, experiment, seed, repeat=repeat, version="0.1.0")
    record = RunRecord(project.run_folder(plan, spec))
    write_json(record.spec_path, spec)
    if outcome == "queued":
        return record
    final = outcome if isinstance(outcome, float) else 0.6
    share = {"running": 0.5, "failed": 0.3, "hung": 0.7, "cancelled": 0.2}.get(str(outcome), 1.0)
    lines = [{"t": 1_763_800_000.0, "kind": "state", "state": "running", "phase": "training"}]
    chance = random.Random(f"{experiment.id}/{seed}/{repeat}")
    for iteration in range(math.ceil(spec.iterations * share)):
        values = curves(iteration / spec.iterations, final, chance, rough=rough)
        lines.append({"t": 1_763_800_000.0 + iteration, "kind": "metric", "iteration": iteration, "values": values})
    if isinstance(outcome, str):
        if outcome != "running":
            lines.append({"t": 1.0, "kind": "state", "state": outcome, "message": f"the run was made to be {outcome}"})
    else:
        lines.append({"t": 1_763_810_000.0, "kind": "state", "state": "done"})
        write_json(record.result_path, result(outcome, spec, chance, protocol or PROTOCOL, rough=rough))
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    record.events_path.write_text(text, encoding="utf-8")
    return record


def curves(progress: float, final: float, chance: random.Random, *, rough: bool) -> dict[str, float]:
    """Metrics of one iteration under rsl_rl's names; ``progress`` runs from 0 to 1."""
    learnt = 1 - math.exp(-4 * progress)
    noise = chance.gauss
    values = {
        "Train/mean_reward": -4 + 24 * learnt + noise(0, 0.6),
        "Train/mean_episode_length": 60 + 900 * learnt + noise(0, 15),
        "Loss/value": 0.02 + 0.3 * (1 - learnt) + abs(noise(0, 0.01)),
        "Loss/surrogate": -0.004 + noise(0, 0.001),
        "Loss/entropy": 16 - 9 * learnt,
        "Policy/mean_std": 1 - 0.6 * learnt,
        "Perf/total_fps": 1230 + noise(0, 30),
        "Metrics/error_vel_xy": final + (1.0 - final) * (1 - learnt) + abs(noise(0, 0.015)),
        "Metrics/error_vel_yaw": 1.4 * final + (1 - learnt) + abs(noise(0, 0.02)),
        "Episode_Termination/time_out": min(1.0, max(0.0, learnt + noise(0, 0.02))),
        "Episode_Termination/base_contact": min(1.0, max(0.0, 1 - learnt + noise(0, 0.02))),
    }
    if rough:
        values["Curriculum/terrain_levels"] = 5 * learnt + noise(0, 0.05)
    for number, term in enumerate(REWARD_TERMS):
        values[f"Episode_Reward/{term}"] = (1.5 if number < 2 else -0.1) * learnt + noise(0, 0.02)
    return values


def result(
    error: float, spec: RunSpec, chance: random.Random, protocol: dict[str, Any], *, rough: bool
) -> dict[str, Any]:
    """A result.json with that velocity error [m/s]."""
    document = {
        "format": 1,
        "protocol": protocol,
        "error_vel_xy": error,
        "error_vel_yaw": 1.4 * error + chance.gauss(0, 0.01),
        "time_out": min(1.0, 0.97 + chance.gauss(0, 0.01)),
        "num_envs": 64,
        "seed": spec.seed,
        "device": "cpu",
        "env_steps_per_second": 1230.0 + chance.gauss(0, 20),
        "train_seconds": 0.8 * spec.iterations,
    }
    if rough:
        document["terrain_level"] = 5 + chance.gauss(0, 0.2)
        document["per_terrain"] = {
            "random_rough": {"error_vel_xy": error * 1.1, "time_out": 0.96},
            "pyramid_stairs": {"error_vel_xy": error * 1.6, "time_out": 0.9},
        }
    return document


def many(count: int, *, seeds: int = 3) -> list[Drawn]:
    """So many runs in experiments of ``seeds`` seeds that vary two parameters; the first is the baseline."""
    chance = random.Random(count)
    experiments = []
    for number in range(max(1, round(count / seeds))):
        overrides = {} if number == 0 else {
            "env.rewards.track_lin_vel_xy_exp.weight": 1.5 + 0.25 * number,
            "agent.algorithm.entropy_coef": 0.01 / (1 + number % 4),
        }  # fmt: skip
        mean = 0.2 + (0 if number == 0 else chance.gauss(0, 0.03))
        outcomes = {seed: round(mean + chance.gauss(0, 0.006), 5) for seed in range(seeds)}
        slug = "base" if number == 0 else f"tracking-weight-{number}"
        experiments.append(Drawn(slug, outcomes, overrides, baseline=number == 0))
    return experiments
