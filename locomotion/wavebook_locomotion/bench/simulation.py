"""Environment steps a second with random actions."""

from __future__ import annotations

import time
from typing import Any

from wavebook_locomotion import configuration, description
from wavebook_locomotion.bench.clock import wait_for
from wavebook_locomotion.tasks import velocity


def measure(*, device: str, num_envs: int, steps: int) -> dict[str, Any]:
    """Steps of the environment each second, with random actions, on flat and on rough ground.

    Args:
        device: ``cpu`` or ``cuda:N``.
        num_envs: Robots.
        steps: Steps timed, after a warm-up that compiles.
    """
    import torch

    from wavebook_locomotion.simulation import open_environment

    wait = wait_for(device)
    measured = {}
    for task in (velocity.FLAT, velocity.ROUGH):
        config = configuration.load(task, num_envs=num_envs, seed=0, device=device)
        opening = time.perf_counter()
        with open_environment(config) as env, torch.inference_mode():
            shape = env.action_space.shape
            for _ in range(10):
                env.step(0.5 * torch.randn(shape, device=env.device))
            wait()
            started = time.perf_counter()
            for _ in range(steps):
                env.step(0.5 * torch.randn(shape, device=env.device))
            wait()
            seconds = time.perf_counter() - started
        measured[task] = {
            "env_steps_per_second": num_envs * steps / seconds,
            "seconds": seconds,
            "start_seconds": started - opening,
        }
    return {
        "format": 1,
        "benchmark": "simulate",
        "num_envs": num_envs,
        "steps": steps,
        "tasks": measured,
        "environment": description.environment(device),
    }
