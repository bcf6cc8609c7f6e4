"""Tries a ground: ``python -m wavebook_locomotion.terrains.trial`` names the sub-terrains that break a configuration.

Each trial runs in a process of its own, so that a simulation which hangs or crashes is a result as well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from wavebook_locomotion import configuration
from wavebook_locomotion.arguments import json_object
from wavebook_locomotion.errors import ConfigurationError, did_you_mean
from wavebook_locomotion.tasks import velocity
from wavebook_locomotion.terrains.bisection import bisect

PREFIX = "env.scene.terrain.terrain_generator.sub_terrains"

LEVEL = "plane"
"""The sub-terrain with nothing to stumble over."""

BROKEN = 3
"""Exit code of a trial in which the guard found a broken robot; 0 means that it held."""


@dataclass(frozen=True)
class Trial:
    """Random actions on a ground of chosen sub-terrains, at all levels."""

    task: str = velocity.ROUGH
    overrides: Mapping[str, Any] = field(default_factory=dict)
    num_envs: int = 256
    steps: int = 150
    device: str = "cpu"
    seed: int = 0
    action_std: float = 1.0
    """Standard deviation of the actions."""
    limit: float = 300.0
    """Time after which a trial counts as hung [s]."""

    def outcome(self, sub_terrains: tuple[str, ...]) -> str:
        """``held``, ``broken`` (the guard reset a robot), ``hung`` or ``crashed``.

        Raises:
            ConfigurationError: The trial itself is wrong: an unknown task, parameter or sub-terrain.
        """
        return self.carry_out(sub_terrains)[0]

    def carry_out(self, sub_terrains: tuple[str, ...]) -> tuple[str, str]:
        """The outcome, and the last line that a crashed trial wrote.

        Raises:
            ConfigurationError: As `outcome`.
        """
        only_sub_terrains(self, sub_terrains)  # says what is wrong before a process starts
        document = json.dumps({**asdict(self), "sub_terrains": sub_terrains})
        command = [sys.executable, "-m", "wavebook_locomotion.terrains.trial", "--one", document]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.limit, check=False)
        except subprocess.TimeoutExpired:
            return "hung", ""
        if done.returncode in (0, BROKEN):
            return ("broken" if done.returncode else "held"), ""
        return "crashed", next(iter(done.stderr.strip().splitlines()[-1:]), f"exit code {done.returncode}")

    def breaks(self, sub_terrains: tuple[str, ...]) -> bool:
        """Whether it did not hold."""
        return self.outcome(sub_terrains) != "held"


def shares(task: str, overrides: Mapping[str, Any]) -> tuple[str, ...]:
    """The sub-terrains that have a share of a configuration's ground.

    Raises:
        ConfigurationError: The task has no sub-terrains, or an override does not fit.
    """
    generator = configuration.load(task, overrides, num_envs=1, seed=0).env.scene.terrain.terrain_generator
    if generator is None:
        raise ConfigurationError(f"{task} has no sub-terrains")
    return tuple(generator.sub_terrains)


def only_sub_terrains(trial: Trial, sub_terrains: tuple[str, ...]) -> configuration.TaskConfig:
    """The trial's configuration on a ground of ``sub_terrains`` alone, robots starting at every level.

    Any of the task's sub-terrains can be chosen, also one without a share in the configuration.
    """
    there = configuration.defaults(trial.task)[0].scene.terrain.terrain_generator
    if there is None:
        raise ConfigurationError(f"{trial.task} has no sub-terrains")
    for name in sub_terrains:
        if name not in there.sub_terrains:
            choices = list(there.sub_terrains)
            raise ConfigurationError(
                f"the ground has no {name}; it has {', '.join(choices)}.{did_you_mean(name, choices)}"
            )
    overrides = {**trial.overrides, **{f"{PREFIX}.{name}.proportion": 1.0 for name in sub_terrains}}
    config = configuration.load(trial.task, overrides, num_envs=trial.num_envs, seed=trial.seed, device=trial.device)
    terrain = config.env.scene.terrain
    generator = terrain.terrain_generator
    found = generator.sub_terrains
    generator.sub_terrains = {name: found[name] for name in found if name in sub_terrains}
    # Each gets a column at least: a small share of few columns is none.
    generator.num_cols = max(generator.num_cols, len(sub_terrains))
    for sub_terrain in generator.sub_terrains.values():
        sub_terrain.proportion = 1.0
    terrain.max_init_terrain_level = None
    return config


def resets(trial: Trial, sub_terrains: tuple[str, ...]) -> int:
    """Robots that the guard reset in the trial, run in this process."""
    import torch

    from wavebook_locomotion.simulation import open_environment

    config = only_sub_terrains(trial, sub_terrains)
    with open_environment(config) as env, torch.inference_mode():
        generator = torch.Generator().manual_seed(trial.seed)
        for _ in range(trial.steps):
            actions = trial.action_std * torch.randn(env.action_space.shape, generator=generator)
            env.step(actions.to(env.device))
            if env.guard_resets:
                break
        return int(env.guard_resets)


def main(arguments: list[str] | None = None) -> int:
    """Search, or run one trial; 0 when nothing breaks, 3 when something does, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python -m wavebook_locomotion.terrains.trial", description=__doc__)
    parser.add_argument("--task", default=velocity.ROUGH)
    parser.add_argument("--overrides", type=json_object, default={}, help="a JSON object")
    parser.add_argument("--among", help="sub-terrains, with commas; those of the configuration if absent")
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--action-std", type=float, default=1.0)
    parser.add_argument("--limit", type=float, default=300.0, help="time after which a trial counts as hung [s]")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    sys.argv = sys.argv[:1]  # the simulator's launcher reads the command line as well
    if options.one is not None:
        document = json.loads(options.one)
        ground = tuple(document.pop("sub_terrains"))
        return BROKEN if resets(Trial(**document), ground) else 0
    trial = Trial(
        task=options.task,
        overrides=options.overrides,
        num_envs=options.num_envs,
        steps=options.steps,
        device=options.device,
        action_std=options.action_std,
        limit=options.limit,
    )

    def breaks(ground: tuple[str, ...]) -> bool:
        outcome, why = trial.carry_out(ground)
        print(f"{', '.join(ground)}: {outcome}{f' ({why})' if why else ''}", flush=True)
        return outcome != "held"

    try:
        among = options.among.split(",") if options.among else shares(trial.task, trial.overrides)
        found = bisect([name for name in among if name], breaks, level=LEVEL)
    except ConfigurationError as error:
        parser.error(str(error))
    print(found.sentence())
    return BROKEN if found.causes or found.everywhere else 0


if __name__ == "__main__":
    sys.exit(main())
