"""Keeps the motion of a few robots while they are evaluated."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.replay.ground import Ground
from wavebook_locomotion.replay.quantise import ANGLE, LENGTH, ROTATION, int16_text, uint8_text
from wavebook_locomotion.replay.robot import robot_document
from wavebook_locomotion.robots.dhav1.model import dhav1

FORMAT = 1


class ReplayRecorder:
    """Records one robot for each command, until there are enough.

    The evaluation calls `start`, then `step` after each of the environment's steps, then `stop`. Nothing is copied from
    a GPU before `stop`, so recording does not slow a rollout down.
    """

    def __init__(self, *, seconds: float = 8.0, robots: int = 8, title: str = "") -> None:
        """Record the first ``seconds`` [s] of at most ``robots`` robots.

        Raises:
            ConfigurationError: One of both is not positive.
        """
        if seconds <= 0 or robots < 1:
            raise ConfigurationError(f"a replay needs a time and a robot, not {seconds:g} s of {robots} robots")
        self._seconds, self._most, self._title = seconds, robots, title
        self._robots: list[dict[str, Any]] = []
        self._model: dict[str, Any] = {}
        self._step_dt = 0.0
        self._frames: list[torch.Tensor] = []
        self._chosen: list[int] = []

    def start(
        self, env: Any, command: torch.Tensor, commands: Sequence[str], places: Sequence[tuple[str, int]] | None
    ) -> None:
        """Choose robots of a rollout that begins: commands that were not recorded yet, on ground seldom seen so far.

        Args:
            env: The environment, just reset.
            command: As in `step`.
            commands: Name of each robot's command.
            places: Each robot's sub-terrain and level; None on flat ground.
        """
        self._env, self._frames, self._chosen = env, [], []
        recorded = {robot["command"] for robot in self._robots}
        seen = Counter(robot["terrain"] for robot in self._robots)
        of_command: dict[str, list[int]] = {}
        for index, name in enumerate(commands):
            if name not in recorded:
                of_command.setdefault(name, []).append(index)
        for robots in list(of_command.values())[: self._most - len(self._robots)]:
            chosen = min(robots, key=lambda index: 0 if places is None else seen[places[index][0]])
            if places is not None:
                seen[places[chosen][0]] += 1
            self._chosen.append(chosen)
        self._labels = [(commands[i], *(("", None) if places is None else places[i])) for i in self._chosen]
        robot, sensor = env.scene["robot"], env.scene.sensors["contact_forces"]
        self._data, self._contact = robot.data, sensor.data
        self._model = robot_document(dhav1(), list(robot.joint_names))
        bodies = [self._model["bodies"][index]["name"] for index in self._model["feet"]]
        self._feet = [list(sensor.body_names).index(name) for name in bodies]
        self._step_dt = float(env.step_dt)
        self._rows = torch.tensor(self._chosen, dtype=torch.long, device=env.device)
        self._bits = torch.tensor([2.0**foot for foot in range(len(bodies))], device=env.device)
        nobody = torch.zeros(len(self._chosen), 2, device=env.device)
        self._keep(command, nobody)

    def step(self, command: torch.Tensor) -> None:
        """Keep what the robots do now.

        Args:
            command: Planar velocity [m/s] and yaw rate [rad/s] that each robot of the environment is to follow, in its
                base's frame, shape ``[num_envs, 3]``.
        """
        if not self._recording:
            return
        env, rows = self._env, self._rows
        ended = torch.stack((env.reset_buf[rows], env.termination_manager.terminated[rows]), dim=1)
        self._keep(command, ended.float())

    @property
    def _recording(self) -> bool:
        return bool(self._chosen) and len(self._frames) <= math.ceil(self._seconds / self._step_dt)

    def _keep(self, command: torch.Tensor, ended: torch.Tensor) -> None:
        if not self._recording:
            return
        data, rows = self._data, self._rows
        standing = self._contact.current_contact_time.torch[rows][:, self._feet] > 0.0
        frame = (
            data.root_link_pos_w.torch[rows],
            data.root_link_quat_w.torch[rows],
            data.joint_pos.torch[rows],
            command[rows],
            data.root_lin_vel_b.torch[rows, :2],
            data.root_ang_vel_b.torch[rows, 2:],
            (standing * self._bits).sum(dim=1, keepdim=True),
            ended,
        )
        self._frames.append(torch.cat(frame, dim=1))

    def stop(self) -> None:
        """Take the robots of the rollout that ends into the replay, each until it fell or left the ground."""
        if not self._frames:
            return
        frames = torch.stack(self._frames, dim=1).double().cpu().numpy()
        terrain = self._env.scene.terrain
        ground = Ground(self._env) if terrain.cfg.terrain_type == "generator" else None
        for (command, place, level), motion in zip(self._labels, frames, strict=True):
            # A robot whose episode ended has been put back to its start in the same step.
            over = (motion[:, -2] > 0) | ~np.isfinite(motion).all(axis=1)
            length = int(np.argmax(over)) if over.any() else len(motion)
            fell = bool(over.any() and motion[length, -1] > 0)
            motion = motion[:length]
            self._robots.append(
                {
                    "command": command,
                    "terrain": place,
                    "level": level,
                    "frames": length,
                    "fell": fell,
                    **_motion(motion[:, :-2]),
                    "ground": None if ground is None else ground.around(motion[:, :3]),
                    "floor": None if ground is not None else float(-motion[0, 2]),
                }
            )
        self._frames, self._chosen = [], []

    def document(self) -> dict[str, Any]:
        """The replay, as docs/replay.md describes it.

        Raises:
            ConfigurationError: No robot was recorded.
        """
        if not self._robots:
            raise ConfigurationError("no robot was recorded; evaluate with this recorder first")
        return {
            "format": FORMAT,
            "title": self._title,
            "step": self._step_dt,
            "robot": self._model,
            "robots": self._robots,
        }


def _motion(values: np.ndarray) -> dict[str, str]:
    """Frames of position, quaternion, angles, command, velocity and contact as text, shape ``[N, 7 + joints + 7]``."""
    motion = values[:, :-1].copy()
    motion[:, :3] -= motion[0, :3]
    joints = motion.shape[1] - 13
    steps = np.array([LENGTH] * 3 + [ROTATION] * 4 + [ANGLE] * joints + [LENGTH] * 6)
    return {"motion": int16_text(motion, steps), "contact": uint8_text(values[:, -1])}
