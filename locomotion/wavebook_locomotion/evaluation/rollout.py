"""Rollouts of a policy under fixed commands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wavebook_locomotion.configuration import TaskConfig
from wavebook_locomotion.evaluation.disturbances import Disturbances, Draw
from wavebook_locomotion.evaluation.effort import Effort
from wavebook_locomotion.evaluation.protocol import Command, Protocol, spread
from wavebook_locomotion.learner import make_runner
from wavebook_locomotion.replay import ReplayRecorder


@dataclass(frozen=True)
class Rollout:
    """What a rollout measured of each robot; all arrays have shape ``[num_envs]``."""

    error_xy: np.ndarray
    """Mean error of the planar velocity after the settling time [m/s]."""
    error_yaw: np.ndarray
    """Mean error of the yaw rate after the settling time [rad/s]."""
    survived: np.ndarray
    """Whether the robot did not fall."""
    cleared: np.ndarray
    """Whether it walked far enough to clear its level."""
    columns: np.ndarray
    """Its sub-terrain; zeros on flat ground."""
    work: np.ndarray
    """Mechanical work of its joints while it stood, ``sum |tau qd| dt`` after the settling time [J]."""
    progress: np.ndarray
    """Way along the commanded direction in that time [m]."""
    asked: np.ndarray
    """Way commanded in that time [m]."""
    mass: np.ndarray
    """Its mass, with what it carries [kg]."""
    torque_use: np.ndarray
    """Mean share of the joints' torque limits in that time."""
    torque_saturated: np.ndarray
    """Share of joints and steps at 99 % of the limit and above."""
    joint_limit_use: np.ndarray
    """Share of joints and steps beyond the soft limits, nine tenths of the range."""


class Evaluator:
    """A policy in the protocol's environment."""

    def __init__(
        self,
        env: Any,
        config: TaskConfig,
        checkpoint: Path,
        protocol: Protocol,
        on_step: Callable[[int], None] = lambda done: None,
        recorder: ReplayRecorder | None = None,
    ) -> None:
        self._env = env
        self._recorder = recorder
        self._on_step = on_step
        self._done = 0
        self._protocol = protocol
        generator = config.env.scene.terrain.terrain_generator
        self.terrains: list[str] = list(generator.sub_terrains) if generator is not None else []
        """Names of the sub-terrains, in the order of the ground's columns."""
        runner = make_runner(env, config)
        runner.load(str(checkpoint), load_cfg={"actor": True}, map_location=config.device)
        self._vec_env = runner.env
        self._policy = runner.get_inference_policy(device=config.device)
        self._nominal_mass = env.scene["robot"].data.body_mass.torch.clone()

    def track(
        self, commands: Sequence[Command], seconds: float, *, seed: int, disturbances: Disturbances | None = None
    ) -> Rollout:
        """Follow commands, on rough ground over all terrains and levels.

        Args:
            commands: One for each robot.
            seconds: Length [s].
            seed: Seeds where the robots start and what disturbs them.
            disturbances: What to put the robots to; loads and friction stay after the rollout.
        """
        count = self._env.num_envs
        values = np.array([(command.x, command.y, command.yaw) for command in commands])
        columns = spread(count, max(len(self.terrains), 1), seed + 1)
        levels = spread(count, self._protocol.levels, seed + 2)
        draw = None
        if disturbances is not None:
            draw = disturbances.draw(count, seconds, self._env.step_dt, seed + 3)
            draw.prepare(self._env, self._nominal_mass)
        names = [command.name for command in commands]
        recorder = self._recorder if disturbances is None else None
        return self._roll_out(values, columns, levels, seconds, seed, draw, recorder, names)

    def climb(self, seconds: float, *, seed: int) -> Rollout:
        """Walk straight on from the origin of each level of each terrain."""
        count, terrains = self._env.num_envs, len(self.terrains)
        command = self._protocol.level_command
        values = np.tile([command.x, command.y, command.yaw], (count, 1))
        columns = np.arange(count) % terrains
        # The robots of a terrain stand at evenly spaced levels.
        rank, robots = np.arange(count) // terrains, math.ceil(count / terrains)
        levels = ((rank + 0.5) * self._protocol.levels / robots).astype(int)
        return self._roll_out(values, columns, levels, seconds, seed)

    def _roll_out(
        self,
        commands: np.ndarray,
        columns: np.ndarray,
        levels: np.ndarray,
        seconds: float,
        seed: int,
        draw: Draw | None = None,
        recorder: ReplayRecorder | None = None,
        names: Sequence[str] = (),
    ) -> Rollout:
        env, protocol, device = self._env, self._protocol, self._env.device
        command = torch.tensor(commands, dtype=torch.float32, device=device)
        term = env.command_manager.get_term("base_velocity")
        robot = env.scene["robot"].data
        if self.terrains:
            self._place(columns, levels)
        with torch.inference_mode():
            env.reset(seed=seed)
            # The first observation shows a command that the reset drew; the policy gets to see the fixed one.
            term.vel_command_b[:] = command
            observations = self._vec_env.get_observations().clone()
            observations.update(env.observation_manager.compute())
            origin = robot.root_pos_w.torch[:, :2].clone()
            alive = torch.ones(env.num_envs, dtype=torch.bool, device=device)
            farthest = torch.zeros(env.num_envs, device=device)
            sums = torch.zeros(2, env.num_envs, device=device)
            effort = Effort(env, command)
            steps = math.ceil(seconds / env.step_dt)
            settled = math.ceil(protocol.settle_seconds / env.step_dt)
            if recorder is not None:
                recorder.start(env, command, names, self._places(columns, levels))
            for step in range(steps):
                if draw is not None:
                    draw.push(env, step)
                actions = self._policy(observations)
                observations, *_ = self._vec_env.step(actions)
                alive &= ~env.termination_manager.terminated  # walking off the edge is not a fall
                term.vel_command_b[:] = command
                if recorder is not None:
                    recorder.step(command)
                planar = torch.linalg.norm(command[:, :2] - robot.root_lin_vel_b.torch[:, :2], dim=-1)
                yaw = torch.abs(command[:, 2] - robot.root_ang_vel_b.torch[:, 2])
                standing = torch.stack((torch.linalg.norm(command[:, :2], dim=-1), torch.abs(command[:, 2])))
                if step >= settled:
                    sums += torch.where(alive, torch.stack((planar, yaw)), standing)
                    effort.add(alive)
                distance = torch.linalg.norm(robot.root_pos_w.torch[:, :2] - origin, dim=-1)
                farthest = torch.where(alive, torch.maximum(farthest, distance), farthest)
                self._done += 1
                self._on_step(self._done)
            if recorder is not None:
                recorder.stop()
        errors = (sums / max(steps - settled, 1)).cpu().numpy()
        cleared = (farthest >= protocol.way_to_clear(seconds, float(np.linalg.norm(commands[0, :2])))).cpu().numpy()
        return Rollout(errors[0], errors[1], alive.cpu().numpy(), cleared, columns, **effort.totals())

    def _places(self, columns: np.ndarray, levels: np.ndarray) -> list[tuple[str, int]] | None:
        if not self.terrains:
            return None
        return [(self.terrains[column], int(level)) for column, level in zip(columns, levels, strict=True)]

    def _place(self, columns: np.ndarray, levels: np.ndarray) -> None:
        terrain = self._env.scene.terrain
        terrain.terrain_types[:] = torch.tensor(columns, device=self._env.device)
        terrain.terrain_levels[:] = torch.tensor(levels, device=self._env.device)
        terrain.env_origins[:] = terrain.terrain_origins[terrain.terrain_levels, terrain.terrain_types]
