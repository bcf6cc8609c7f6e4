"""Benchmarks: ``python -m wavebook_locomotion.bench simulate --device cpu --json``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from wavebook_locomotion import configuration, description
from wavebook_locomotion.tasks import velocity


def simulate(*, device: str, num_envs: int, steps: int) -> dict[str, Any]:
    """Steps of the environment each second, with random actions, on flat and on rough ground.

    Args:
        device: ``cpu`` or ``cuda:N``.
        num_envs: Robots.
        steps: Steps timed, after a warm-up that compiles.
    """
    import torch

    from wavebook_locomotion.simulation import open_environment

    measured = {}
    for task in (velocity.FLAT, velocity.ROUGH):
        config = configuration.load(task, num_envs=num_envs, seed=0, device=device)
        opening = time.perf_counter()
        with open_environment(config) as env, torch.inference_mode():
            shape = env.action_space.shape
            for _ in range(10):
                env.step(0.5 * torch.randn(shape, device=env.device))
            _wait(device)
            started = time.perf_counter()
            for _ in range(steps):
                env.step(0.5 * torch.randn(shape, device=env.device))
            _wait(device)
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


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


@contextlib.contextmanager
def _only_document_on_stdout() -> Iterator[None]:
    # The simulator and its compilers print to the descriptor itself, past sys.stdout.
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def main(arguments: list[str] | None = None) -> int:
    """Run a benchmark and print what it measured; 0 when done, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python -m wavebook_locomotion.bench")
    parser.add_argument("benchmark", choices=["simulate"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    options = parser.parse_args(arguments)
    if options.num_envs < 1 or options.steps < 1:
        parser.error("--num-envs and --steps must be at least 1")
    with _only_document_on_stdout():
        document = simulate(device=options.device, num_envs=options.num_envs, steps=options.steps)
    if options.json:
        print(json.dumps(document))
    else:
        for task, values in document["tasks"].items():
            print(f"{task}: {values['env_steps_per_second']:.0f} env steps/s with {document['num_envs']} robots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
