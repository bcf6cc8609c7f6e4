"""Trains a task's policy with rsl_rl."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wavebook_locomotion import checkpoints
from wavebook_locomotion.checkpoints import carry_over, iteration_of, state_path
from wavebook_locomotion.configuration import TaskConfig
from wavebook_locomotion.errors import ConfigurationError


@dataclass(frozen=True)
class TrainingOutcome:
    """What a training left and took."""

    checkpoint: Path
    """The last checkpoint: models, optimiser and iteration."""
    iterations: int
    """Iterations in all, those before a resume included, as in the other figures."""
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
    devices: int = 1,
) -> TrainingOutcome:
    """Train until ``iterations`` PPO iterations are done.

    Args:
        config: The task, its learner and their overrides.
        iterations: Iterations in all, those before ``checkpoint`` included.
        log_dir: Folder for the checkpoints, made where it is missing: the newest few and the last, each ``model_N.pt``
            with ``state_N.pt`` beside it. Robots whose simulation broke are written down in ``broken/`` below it.
        on_iteration: Called after each iteration with its number and its scalars: rsl_rl's names (``Train/``,
            ``Loss/``, ``Policy/``, ``Perf/``, ``Episode_Reward/``, ``Episode_Termination/``, ``Curriculum/``,
            ``Metrics/``), and ``Metrics/error_vel_xy`` [m/s] and ``Metrics/error_vel_yaw`` [rad/s], the mean error of
            every environment step of the iteration, and ``Guard/resets``, robots whose simulation broke so far.
        on_phase: Called with ``starting``, ``compiling`` and ``training`` as each begins.
        checkpoint: A checkpoint to go on from, as if the training had not stopped: the iterations' numbers, networks,
            normalisers, optimiser and learning rate, terrain levels, episodes, commands, robots' poses and random
            states go on as they were. Contacts do not: `wavebook_locomotion.state.restore` says what that means.
            Where it is the last iteration's, nothing is trained and the outcome is what it was.
        devices: Devices to train on at once, those that CUDA_VISIBLE_DEVICES names, with a process for each
            (`wavebook_locomotion.distributed`). ``config``'s environments are those of all together; scalars are means
            over the processes. On the CPU it is the number of processes.

    Raises:
        ConfigurationError: ``checkpoint`` is not there, lacks its state or does not fit; ``iterations`` is below 1; a
            rollout has too few samples for its minibatches.
        RankError: One of several devices' processes died.
        ValueError: The simulator returned values that are not numbers.
    """
    if iterations < 1:
        raise ConfigurationError(f"iterations must be at least 1, not {iterations}")
    _check_minibatches(config.agent, config.num_envs // max(devices, 1))
    tell = on_phase or (lambda phase: None)
    first = 0
    if checkpoint is not None:
        if not checkpoint.is_file():
            raise ConfigurationError(f"there is no checkpoint {checkpoint}")
        first = iteration_of(checkpoint) + 1
        if first > iterations:
            raise ConfigurationError(
                f"the checkpoint {checkpoint.name} has {first} iterations behind it and the training is to have "
                f"{iterations} in all; choose more than {first}"
            )
        log_dir.mkdir(parents=True, exist_ok=True)
        checkpoint = carry_over(checkpoint, log_dir)
    log_dir.mkdir(parents=True, exist_ok=True)
    per_iteration = config.agent.num_steps_per_env * config.num_envs
    if devices > 1 and first < iterations:
        from wavebook_locomotion.distributed import train_ranks

        resets = 0.0

        def take(number: int, values: dict[str, float]) -> None:
            nonlocal resets
            resets = values.get("Guard/resets", resets)
            on_iteration(number, values)

        left = train_ranks(
            config,
            devices,
            iterations=iterations,
            log_dir=log_dir,
            on_iteration=take,
            on_phase=tell,
            checkpoint=checkpoint,
        )
        return _outcome(Path(left["checkpoint"]), iterations, per_iteration, left["train_seconds"], int(resets))
    tell("starting")

    import torch

    from wavebook_locomotion import state
    from wavebook_locomotion.learner import make_runner
    from wavebook_locomotion.simulation import open_environment
    from wavebook_locomotion.warm import cache_and_name, compiled_once

    if checkpoint is not None and first == iterations:
        saved = state.load(state_path(checkpoint))
        return _outcome(
            checkpoint, iterations, per_iteration, saved["train_seconds"], saved["counters"]["guard_resets"]
        )
    tell("compiling")
    with contextlib.ExitStack() as stack:
        # Of runs that start at once on a fresh machine one compiles; the first step compiles what creation did not.
        with compiled_once(*cache_and_name(config)):
            env = stack.enter_context(open_environment(config))
            rank = os.environ.get("RANK", "0")
            env.record_folder = log_dir / "broken" / (f"rank{rank}" if rank != "0" else "")
            env.step(torch.zeros(env.action_space.shape, device=env.device))
        env.seed(config.seed)
        runner = make_runner(env, config, log_dir=str(log_dir), on_iteration=on_iteration)
        if checkpoint is not None:
            runner.resume(checkpoint)
        tell("training")
        # Episodes that go on keep their length.
        spread = config.agent.init_at_random_ep_len and checkpoint is None
        runner.learn(iterations - first, init_at_random_ep_len=spread)
        last = log_dir / f"model_{runner.current_learning_iteration}.pt"
        return _outcome(last, iterations, per_iteration, runner.train_seconds, env.guard_resets)


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in a training's folder, from which it can go on; None where there is none."""
    return checkpoints.newest_checkpoint(folder)


def _outcome(checkpoint: Path, iterations: int, per_iteration: int, seconds: float, resets: int) -> TrainingOutcome:
    steps = iterations * per_iteration
    return TrainingOutcome(checkpoint, iterations, steps, seconds, steps / seconds, resets)


def _check_minibatches(agent: Any, num_envs: int) -> None:
    samples, minibatches = num_envs * agent.num_steps_per_env, agent.algorithm.num_mini_batches
    # One sample has no standard deviation.
    fewest = 2 if agent.algorithm.normalize_advantage_per_mini_batch else 1
    if samples < fewest * minibatches:
        raise ConfigurationError(
            f"agent.algorithm.num_mini_batches is {minibatches}, and a rollout of {num_envs} robots and "
            f"{agent.num_steps_per_env} steps has {samples} samples: at most {samples // fewest} minibatches"
        )
