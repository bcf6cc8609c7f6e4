"""What an iteration of training costs and where its time goes, beside Isaac Lab's own training of the same task."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from wavebook_locomotion import description
from wavebook_locomotion.bench.clock import PhaseClock, wait_for
from wavebook_locomotion.bench.mjlab_go1.laps import Laps
from wavebook_locomotion.bench.settings import GRAPHS, MATMUL, MESH_TILE, RECORD, Prepared
from wavebook_locomotion.configuration import RSL_RL_VERSION, TaskConfig
from wavebook_locomotion.errors import ConfigurationError

SIMULATION = {
    "physics": ("sim.step",),
    "actions": ("action_manager.process_action", "action_manager.apply_action", "scene.write_data_to_sim"),
    "sensors": ("scene.update",),
    "terminations": ("termination_manager.compute",),
    "rewards": ("reward_manager.compute",),
    "resets": ("_reset_idx",),
    "commands": ("command_manager.compute",),
    "events": ("event_manager.apply",),
    "observations": ("observation_manager.compute",),
}
"""Parts of an environment's step and the methods that do them; what none of them does is ``rest``."""


MJLAB_TASK = "Mjlab-Velocity-{ground}-Unitree-Go1"
"""What is measured beside our tasks, on the same kind of ground."""


def measure(
    prepared: Prepared, *, iterations: int, warm_up: int, split: int, bare: bool, mjlab: str | None = None
) -> dict[str, Any]:
    """Time iterations of PPO after a warm-up, then split some more by what is done in them.

    Args:
        prepared: Task, size, device and settings.
        iterations: Iterations timed undisturbed.
        warm_up: Iterations before, in which kernels compile and robots fall for the first time.
        split: Iterations in which the device is waited for at each border between phases.
        bare: Whether the same task is then trained with Isaac Lab's and rsl_rl's classes alone.
        mjlab: The Python of an environment that has mjlab, to train its Go1 on the like ground; None to leave it out.

    Raises:
        ConfigurationError: There is no mjlab in that environment, or its training failed.
    """
    config = prepared.config
    steps = config.num_envs * config.agent.num_steps_per_env
    document: dict[str, Any] = {
        "format": 1,
        "benchmark": "train",
        "task": config.task,
        "num_envs": config.num_envs,
        "num_steps_per_env": config.agent.num_steps_per_env,
        "iterations": iterations,
        "ours": _ours(prepared, iterations=iterations, warm_up=warm_up, split=split, steps=steps),
        "bare": None,
        "mjlab": None,
        "environment": description.environment(config.device),
    }
    if bare:
        document["bare"] = _bare(prepared, iterations=iterations, warm_up=warm_up, steps=steps)
        document["time_over_bare"] = (
            document["ours"]["iteration_seconds"]["median"] / document["bare"]["iteration_seconds"]["median"]
        )
    if mjlab is not None:
        document["mjlab"] = _mjlab(prepared.config, mjlab, iterations=iterations, warm_up=warm_up)
    return document


def _mjlab(config: TaskConfig, python: str, *, iterations: int, warm_up: int) -> dict[str, Any]:
    script = Path(__file__).parent / "mjlab_go1" / "measure.py"
    words = ["--task", MJLAB_TASK.format(ground="Rough" if config.rough else "Flat"), "--device", config.device]
    words += ["--num-envs", str(config.num_envs), "--iterations", str(iterations), "--warm-up", str(warm_up)]
    # Ours would be found before what that environment has.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run([python, str(script), *words], capture_output=True, text=True, check=False, env=variables)
    except OSError as error:
        raise ConfigurationError(f"mjlab was not measured: {python} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise ConfigurationError(f"mjlab was not measured: {done.stderr.strip()[-800:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


@contextlib.contextmanager
def open_training(prepared: Prepared, log_dir: Path) -> Iterator[tuple[Any, Any]]:
    """The environment and the runner as a training of ours has them."""
    import torch

    from wavebook_locomotion.learner import make_runner
    from wavebook_locomotion.simulation import open_environment

    # Making a runner rewrites the learner's configuration for rsl_rl's version, which succeeds only once.
    config = replace(prepared.config, agent=copy.deepcopy(prepared.config.agent))
    with open_environment(config, mesh_threads=prepared.switches[MESH_TILE]) as env:
        if prepared.switches[RECORD]:
            env.record_folder = log_dir / "broken"
        env.step(torch.zeros(env.action_space.shape, device=env.device))
        runner = make_runner(env, config, log_dir=str(log_dir))
        runner.matmul_precision = prepared.switches[MATMUL]
        runner.alg.graphs = prepared.switches[GRAPHS]
        yield env, runner


def _ours(prepared: Prepared, *, iterations: int, warm_up: int, split: int, steps: int) -> dict[str, Any]:
    config = prepared.config
    opening = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="wavebook-bench-") as folder,
        open_training(prepared, Path(folder)) as (env, runner),
    ):
        laps = Laps(runner)
        runner.learn(warm_up, init_at_random_ep_len=config.agent.init_at_random_ep_len)
        start_seconds = time.perf_counter() - opening
        laps.restart()
        runner.learn(iterations + 1)
        measured = laps.summary(steps)
        measured["start_seconds"] = start_seconds
        if split:
            measured["split"] = _split(env, runner, laps, split=split, steps=steps)
        measured["solver"] = solver_state()
        measured["guard_resets"] = env.guard_resets
        measured["device_memory_gib"] = _device_memory(config.device)
    return measured


def _split(env: Any, runner: Any, laps: Laps, *, split: int, steps: int) -> dict[str, Any]:
    """Seconds of an iteration by phase, mean over ``split`` iterations."""
    clock = PhaseClock(wait_for(env.device))
    for phase, methods in SIMULATION.items():
        for method in methods:
            _watch(clock, env, method, phase)
    if "height_scanner" in env.scene.sensors:
        clock.watch(env.scene.sensors["height_scanner"], "_update_buffers_impl", "height scan")
    clock.watch(env, "step", "rest")
    clock.watch(runner.env, "step", "measuring")
    clock.watch(runner.alg, "act", "policy")
    clock.watch(runner.alg, "process_env_step", "policy")
    clock.watch(runner.alg, "compute_returns", "learning")
    clock.watch(runner.alg, "update", "learning")
    clock.watch(runner.logger, "process_env_step", "writing")
    clock.watch(runner.logger, "log", "writing")
    clock.watch(runner, "save", "writing")
    laps.restart()
    clock.running = True
    began = time.perf_counter()
    runner.learn(split)
    whole = (time.perf_counter() - began) / split
    clock.running = False
    seconds = {phase: value / split for phase, value in clock.seconds.items()}
    inside = {phase: seconds.pop(phase) for phase in (*SIMULATION, "height scan", "rest") if phase in seconds}
    seconds = {"simulation": sum(inside.values()), **seconds}
    seconds["other"] = whole - sum(seconds.values())
    return {
        "iteration_seconds": whole,
        "seconds": seconds,
        "env_steps_per_second": {phase: steps / value for phase, value in seconds.items() if value > 0},
        "simulation_seconds": inside,
    }


def _watch(clock: PhaseClock, env: Any, path: str, phase: str) -> None:
    *owners, method = path.split(".")
    owner = env
    for name in owners:
        owner = getattr(owner, name)
    clock.watch(owner, method, phase)


def _bare(prepared: Prepared, *, iterations: int, warm_up: int, steps: int) -> dict[str, Any]:
    """The same training with Isaac Lab's environment and wrapper and rsl_rl's runner, which log to TensorBoard."""
    from isaaclab.app import launch_simulation
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.utils import to_dict
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, handle_deprecated_rsl_rl_cfg
    from rsl_rl.runners import OnPolicyRunner

    from wavebook_locomotion.learner import matmul_precision

    config = prepared.config
    env_config, agent = copy.deepcopy(config.env), copy.deepcopy(config.agent)
    env_config.terminations.simulation_broken = None
    opening = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="wavebook-bench-") as folder,
        launch_simulation(env_config, {}),
        contextlib.redirect_stdout(io.StringIO()),
        matmul_precision(prepared.switches[MATMUL]),
    ):
        env = ManagerBasedRLEnv(env_config)
        try:
            wrapped = RslRlVecEnvWrapper(env, clip_actions=agent.clip_actions)
            settings = to_dict(handle_deprecated_rsl_rl_cfg(agent, RSL_RL_VERSION))
            runner = OnPolicyRunner(wrapped, settings, log_dir=folder, device=config.device)
            runner.logger.git_status_repos = []
            laps = Laps(runner)
            runner.learn(warm_up, init_at_random_ep_len=agent.init_at_random_ep_len)
            start_seconds = time.perf_counter() - opening
            laps.restart()
            runner.learn(iterations + 1)
            return laps.summary(steps) | {"start_seconds": start_seconds}
        finally:
            env.close()


def solver_state() -> dict[str, float] | None:
    """What the MuJoCo Warp solver used in its last substep, or None with another one.

    Returns:
        Greatest number of constraint rows of a robot and their capacity, contacts of all robots and their capacity,
        greatest and mean number of iterations, and robots for whom at any time rows or contacts were left out
        (``overflows``) or iterations ended early (``unconverged``).
    """
    from isaaclab_newton.physics import NewtonManager
    from mujoco_warp._src.types import OverflowType

    data = getattr(getattr(NewtonManager, "_solver", None), "mjw_data", None)
    if data is None:
        return None
    unconverged = int(OverflowType.ITERATIONS | OverflowType.LS_ITERATIONS)
    iterations, overflow = data.solver_niter.numpy(), data.overflow.numpy()
    return {
        "rows": int(data.nefc.numpy().max()),
        "rows_capacity": int(data.njmax),
        "contacts": int(data.nacon.numpy()[0]),
        "contacts_capacity": int(data.naconmax),
        "iterations_max": int(iterations.max()),
        "iterations_mean": float(iterations.mean()),
        "overflows": int(((overflow & ~unconverged) != 0).sum()),
        "unconverged": int(((overflow & unconverged) != 0).sum()),
    }


def _device_memory(device: str) -> float | None:
    if not device.startswith("cuda"):
        return None
    import torch

    free, whole = torch.cuda.mem_get_info(device)
    return (whole - free) / 2**30
