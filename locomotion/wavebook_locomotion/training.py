"""Trains a task's policy with rsl_rl."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wavebook_locomotion.configuration import TaskConfig
from wavebook_locomotion.errors import ConfigurationError


@dataclass(frozen=True)
class TrainingOutcome:
    """What a training left and took."""

    checkpoint: Path
    """The last checkpoint: models, optimiser and iteration."""
    iterations: int
    environment_steps: int
    train_seconds: float
    """Wall-clock time of the iterations, without opening the environment and compiling [s]."""
    env_steps_per_second: float
    guard_resets: int
    """Robots whose simulation broke and was reset."""


def train(
    config: TaskConfig,
    *,
    iterations: int,
    log_dir: Path,
    on_iteration: Callable[[int, dict[str, float]], None],
    on_phase: Callable[[str], None] | None = None,
    checkpoint: Path | None = None,
) -> TrainingOutcome:
    """Train for ``iterations`` PPO iterations.

    Args:
        config: The task, its learner and their overrides.
        iterations: Iterations to add; numbering goes on where ``checkpoint`` ended.
        log_dir: Folder for the checkpoints, made where it is missing; robots whose simulation broke are written down
            in ``broken/`` below it.
        on_iteration: Called after each iteration with its number and its scalars: rsl_rl's names (``Train/``,
            ``Loss/``, ``Policy/``, ``Perf/``, ``Episode_Reward/``, ``Episode_Termination/``, ``Curriculum/``,
            ``Metrics/``), and ``Metrics/error_vel_xy`` [m/s] and ``Metrics/error_vel_yaw`` [rad/s], the mean error of
            every environment step of the iteration, and ``Guard/resets``, robots whose simulation broke so far.
        on_phase: Called with ``starting``, ``compiling`` and ``training`` as each begins.
        checkpoint: A checkpoint to go on from.

    Raises:
        ConfigurationError: ``checkpoint`` is not there, or ``iterations`` is below 1.
        ValueError: The simulator returned values that are not numbers.
    """
    if iterations < 1:
        raise ConfigurationError(f"iterations must be at least 1, not {iterations}")
    if checkpoint is not None and not checkpoint.is_file():
        raise ConfigurationError(f"there is no checkpoint {checkpoint}")
    tell = on_phase or (lambda phase: None)
    tell("starting")

    import torch

    from wavebook_locomotion.learner import make_runner
    from wavebook_locomotion.simulation import open_environment

    log_dir.mkdir(parents=True, exist_ok=True)
    tell("compiling")
    with open_environment(config) as env:
        env.record_folder = log_dir / "broken"
        # The first step compiles what creation did not; its time is not the training's.
        env.step(torch.zeros(env.action_space.shape, device=env.device))
        env.seed(config.seed)
        runner = make_runner(env, config, log_dir=str(log_dir), on_iteration=on_iteration)
        if checkpoint is not None:
            runner.load(str(checkpoint), map_location=config.device)
            runner.current_learning_iteration += 1  # rsl_rl would do the last iteration's number once more
        tell("training")
        started = time.perf_counter()
        runner.learn(iterations, init_at_random_ep_len=config.agent.init_at_random_ep_len)
        seconds = time.perf_counter() - started
        saved = log_dir / f"model_{runner.current_learning_iteration}.pt"
        resets = env.guard_resets
    steps = iterations * config.agent.num_steps_per_env * config.num_envs
    return TrainingOutcome(saved, iterations, steps, seconds, steps / seconds, resets)
