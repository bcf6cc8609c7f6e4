"""Times mjlab's own training of Unitree's Go1, run by the Python of an environment that has mjlab and nothing of ours.

    python measure.py --task Mjlab-Velocity-Rough-Unitree-Go1 --num-envs 4096 --device cuda:0

prints one line of JSON. Environment, learner and runner are those of ``mjlab.scripts.train``, logging to TensorBoard.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
import json
import sys
import tempfile
import time
from dataclasses import asdict
from typing import Any

from laps import Laps  # beside this file, which is run by its path


def measure(task: str, *, num_envs: int, device: str, iterations: int, warm_up: int) -> dict[str, Any]:
    """Figures like those of our own training benchmark.

    Args:
        task: Name that mjlab knows the task by.
        num_envs: Robots.
        device: ``cpu`` or ``cuda:N``.
        iterations: Iterations timed.
        warm_up: Iterations before.
    """
    import mjlab.tasks  # noqa: F401 - registers the tasks
    from mjlab.envs import ManagerBasedRlEnv
    from mjlab.rl import MjlabOnPolicyRunner, RslRlVecEnvWrapper
    from mjlab.tasks.registry import load_env_cfg, load_rl_cfg, load_runner_cls
    from mjlab.utils.torch import configure_torch_backends

    configure_torch_backends()
    env_config, agent = load_env_cfg(task), load_rl_cfg(task)
    env_config.scene.num_envs = num_envs
    agent.logger = "tensorboard"  # it would log in to a service
    opening = time.perf_counter()
    env = RslRlVecEnvWrapper(ManagerBasedRlEnv(cfg=env_config, device=device), clip_actions=agent.clip_actions)
    try:
        with tempfile.TemporaryDirectory(prefix="mjlab-bench-") as folder:
            runner = (load_runner_cls(task) or MjlabOnPolicyRunner)(env, asdict(agent), folder, device)
            runner.save = lambda *_: None  # it would upload the policy
            laps = Laps(runner)
            runner.learn(warm_up, init_at_random_ep_len=True)
            start_seconds = time.perf_counter() - opening
            laps.restart()
            runner.learn(iterations + 1)
    finally:
        env.close()
    return {
        "task": task,
        "num_envs": num_envs,
        "num_steps_per_env": agent.num_steps_per_env,
        "start_seconds": start_seconds,
        "versions": {
            name: importlib.metadata.version(name) for name in ("mjlab", "mujoco-warp", "rsl-rl-lib", "torch")
        },
        **laps.summary(num_envs * agent.num_steps_per_env),
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True)
    parser.add_argument("--device", default="cpu")
    for name, default in (("num-envs", 64), ("iterations", 10), ("warm-up", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = vars(parser.parse_args())
    sys.argv = sys.argv[:1]
    with contextlib.redirect_stdout(io.StringIO()):
        measured = measure(options.pop("task"), **options)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
