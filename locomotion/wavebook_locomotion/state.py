"""What a training needs beside rsl_rl's checkpoint to go on as if it had not stopped."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wavebook_locomotion.errors import ConfigurationError

FORMAT = 1

_COUNTERS = ("common_step_counter", "_sim_step_counter", "guard_resets")
_LOGGER_SUMS = ("cur_reward_sum", "cur_episode_length")
_LOGGER_WINDOWS = ("rewbuffer", "lenbuffer")
_LOGGER_TOTALS = ("tot_timesteps", "tot_time")


def capture(env: Any, runner: Any, train_seconds: float) -> dict[str, Any]:
    """The state after an iteration: tensors on the CPU, numbers, and the states of the random generators.

    Args:
        env: The environment (`wavebook_locomotion.guard.GuardedRLEnv`).
        runner: Its runner.
        train_seconds: Wall-clock time of the iterations so far [s].
    """
    robot = env.scene["robot"].data
    terrain = env.scene.terrain
    levels = getattr(terrain, "terrain_levels", None)
    logger = runner.logger
    return {
        "format": FORMAT,
        "iteration": runner.current_learning_iteration,
        "num_envs": env.num_envs,
        "train_seconds": train_seconds,
        "learning_rate": runner.alg.learning_rate,
        "counters": {name: getattr(env, name) for name in _COUNTERS},
        "terrain": None if levels is None else {"levels": _cpu(levels), "types": _cpu(terrain.terrain_types)},
        "episode_lengths": _cpu(env.episode_length_buf),
        "observations": _cpu(env.obs_buf),
        "robot": {
            "root_pose": _cpu(torch.cat((robot.root_link_pos_w.torch, robot.root_link_quat_w.torch), dim=1)),
            "root_velocity": _cpu(torch.cat((robot.root_com_lin_vel_w.torch, robot.root_com_ang_vel_w.torch), dim=1)),
            "joint_pos": _cpu(robot.joint_pos.torch),
            "joint_vel": _cpu(robot.joint_vel.torch),
        },
        "managers": {name: _cpu(tensors) for name, tensors in _manager_tensors(env).items()},
        "logger": {name: _cpu(getattr(logger, name)) for name in _LOGGER_SUMS}
        | {name: list(getattr(logger, name)) for name in _LOGGER_WINDOWS}
        | {name: getattr(logger, name) for name in _LOGGER_TOTALS},
        "random": random_state(env.device),
    }


def restore(state: dict[str, Any], env: Any, runner: Any) -> None:
    """Set the environment and the runner to a captured state.

    Restored exactly: iteration, learning rate, terrain levels and types, episode lengths and what was summed up in
    them, commands and times until the next, last actions, last observations and histories of them, counters, the
    random generators. Robots go on in their pose and with their speeds. Not restored, because the simulator gives no
    access: contacts and the solver's warm start, contact sensors' air times, external forces of events, and commands on
    their way to motors that are late; a continued training therefore follows the same distribution, not the same
    numbers. Warp keeps no random state of its own.

    Raises:
        ConfigurationError: The state is of another number of environments, another ground, another format, or of a task
            with other terms. Nothing is restored then.
    """
    if state.get("format") != FORMAT:
        raise ConfigurationError(
            f"the checkpoint's state has format {state.get('format')!r}; this version has {FORMAT}"
        )
    if state["num_envs"] != env.num_envs:
        raise ConfigurationError(
            f"the checkpoint's training had {state['num_envs']} environments on this device, this one has "
            f"{env.num_envs}; go on with the same number of environments and devices"
        )
    terrain = env.scene.terrain
    rough = getattr(terrain, "terrain_levels", None) is not None
    if rough != (state["terrain"] is not None):
        raise ConfigurationError("the checkpoint was trained on other ground: one of the two is flat")
    tensors = _fitting(state["managers"], _manager_tensors(env))
    device = env.device
    if rough:
        terrain.terrain_levels[:] = state["terrain"]["levels"].to(device)
        terrain.terrain_types[:] = state["terrain"]["types"].to(device)
        terrain.env_origins[:] = terrain.terrain_origins[terrain.terrain_levels, terrain.terrain_types]
    place(env, state["robot"])
    env.episode_length_buf[:] = state["episode_lengths"].to(device)
    for name, value in state["counters"].items():
        setattr(env, name, value)
    for tensor, saved in tensors:
        tensor.copy_(saved)
    env.obs_buf = {name: value.to(device) for name, value in state["observations"].items()}
    logger = runner.logger
    for name in _LOGGER_SUMS:
        getattr(logger, name).copy_(state["logger"][name])
    for name in _LOGGER_WINDOWS:
        getattr(logger, name).extend(state["logger"][name])
    for name in _LOGGER_TOTALS:
        setattr(logger, name, state["logger"][name])
    runner.alg.learning_rate = state["learning_rate"]
    for group in runner.alg.optimizer.param_groups:
        group["lr"] = state["learning_rate"]
    set_random_state(state["random"], device)


def load(path: Path) -> dict[str, Any]:
    """Read a state.

    Raises:
        ConfigurationError: It is missing or cannot be read.
    """
    if not path.is_file():
        raise ConfigurationError(f"the checkpoint's state {path} is missing; choose one that has its state beside it")
    try:
        # Tensors and plain values only: a checkpoint from elsewhere must not run code.
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch lets through what zipfile and pickle raise
        raise ConfigurationError(f"the checkpoint's state {path} cannot be read: {error}") from error


def random_state(device: str) -> dict[str, Any]:
    """The states of the random generators: torch (CPU and ``device``), numpy's and Python's."""
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if str(device).startswith("cuda") else None,
        "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), int(position), int(has_gauss), float(gauss)],
        "python": random.getstate(),
    }


def set_random_state(state: dict[str, Any], device: str) -> None:
    """Set the random generators to states of `random_state`."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and str(device).startswith("cuda"):
        torch.cuda.set_rng_state(state["cuda"], device)
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    version, internal, gauss_next = state["python"]
    random.setstate((version, tuple(internal), gauss_next))


def _manager_tensors(env: Any) -> dict[str, dict[str, torch.Tensor]]:
    """The tensors in which commands, rewards, actions, events, curricula and observed histories keep their state."""
    actions, rewards = env.action_manager, env.reward_manager
    found = {
        "actions": _rows(actions, env.num_envs),
        "rewards": {f"sum.{name}": value for name, value in _indexed(rewards._episode_sum_buf)},
    }
    for name in actions.active_terms:
        found[f"action.{name}"] = _rows(actions.get_term(name), env.num_envs)
    for name in env.command_manager.active_terms:
        term = env.command_manager.get_term(name)
        metrics = {f"metric.{key}": value for key, value in term.metrics.items()}
        found[f"command.{name}"] = _rows(term, env.num_envs) | metrics
    events = getattr(env.event_manager, "_interval_term_time_left", [])
    found["events"] = dict(_indexed(events))
    for manager in ("reward", "curriculum"):
        terms = getattr(env, f"{manager}_manager")
        for name, term in zip(terms.active_terms, terms._term_cfgs, strict=True):
            if not callable(getattr(term.func, "reset", None)):
                continue
            found[f"{manager}.{name}"] = _rows(term.func, env.num_envs)
    for group, histories in env.observation_manager._group_obs_term_history_buffer.items():
        found[f"history.{group}"] = {
            f"{name}.{part}": getattr(history, part)
            for name, history in histories.items()
            for part in ("_buffer", "_num_pushes")
        }
    return found


def _fitting(
    saved: dict[str, dict[str, torch.Tensor]], wanted: dict[str, dict[str, torch.Tensor]]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Each tensor that a training keeps, with what a state holds of it."""
    pairs, misfits = [], []
    for name, tensors in wanted.items():
        for key, tensor in tensors.items():
            found = saved.get(name, {}).get(key)
            if found is None:
                misfits.append(f"{name}/{key} is missing")
            elif found.shape != tensor.shape:
                misfits.append(f"{name}/{key} has shape {list(found.shape)}, not {list(tensor.shape)}")
            else:
                pairs.append((tensor, found))
    if misfits:
        raise ConfigurationError(
            f"the checkpoint's state is of another task or other terms: {'; '.join(misfits)}; go on with the "
            "configuration that it was trained with"
        )
    return pairs


def _rows(owner: Any, rows: int) -> dict[str, torch.Tensor]:
    return {
        name: value
        for name, value in vars(owner).items()
        if isinstance(value, torch.Tensor) and value.ndim > 0 and value.shape[0] == rows
    }


def _indexed(values: Any) -> list[tuple[str, torch.Tensor]]:
    if isinstance(values, torch.Tensor):
        return [("all", values)]
    items = values.items() if isinstance(values, dict) else enumerate(values)
    return [(str(name), value) for name, value in items if isinstance(value, torch.Tensor)]


def place(env: Any, saved: dict[str, torch.Tensor]) -> None:
    """Put all robots into poses and speeds.

    Args:
        env: The environment.
        saved: ``root_pose`` (position and orientation of the base, ``[num_envs, 7]``), ``root_velocity`` (of its centre
            of mass, ``[num_envs, 6]``), ``joint_pos`` and ``joint_vel`` (``[num_envs, joints]``).
    """
    robot = env.scene["robot"]
    values = {name: value.to(env.device) for name, value in saved.items()}
    robot.write_root_link_pose_to_sim_index(root_pose=values["root_pose"])
    robot.write_root_com_velocity_to_sim_index(root_velocity=values["root_velocity"])
    robot.write_joint_position_to_sim_index(position=values["joint_pos"])
    robot.write_joint_velocity_to_sim_index(velocity=values["joint_vel"])
    env.scene.write_data_to_sim()
    env.sim.forward()


def _cpu(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True)
    return {name: _cpu(entry) for name, entry in value.items()}
