"""The robustness half: the same commands for robots that carry loads, slip and are pushed."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from wavebook_locomotion.randomization.friction import set_friction


@dataclass(frozen=True)
class Disturbances:
    """Their definition, versioned on its own: what it says of the undisturbed half stays comparable."""

    name: str = "wavebook-robustness"
    version: int = 1
    payload: tuple[float, float] = (-1.0, 3.0)
    """Mass added at the base's centre of mass [kg], uniform."""
    friction: tuple[float, float] = (0.3, 1.0)
    """Coefficient of friction between robot and ground, uniform."""
    push_speed: float = 0.5
    """Change of the planar velocity by a push, in any direction [m/s]."""
    push_first: float = 2.0
    """Time of the first push [s]."""
    push_interval: float = 4.0
    """Time from one push to the next [s]."""

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of SHA-256 over the definition."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def describe(self) -> dict[str, object]:
        """The definition and its hash, as they stand in a result."""
        return {**asdict(self), "hash": self.hash}

    def draw(self, num_envs: int, seconds: float, step_dt: float, seed: int) -> Draw:
        """What each robot meets, drawn with NumPy, so that it is the same on every device.

        Args:
            num_envs: Robots.
            seconds: Length of the rollout [s].
            step_dt: Length of a policy's step [s].
            seed: Of the draw.
        """
        random = np.random.default_rng(seed)
        payload = random.uniform(*self.payload, num_envs)
        friction = random.uniform(*self.friction, num_envs)
        count = max(0, math.ceil((seconds - self.push_first) / self.push_interval))
        headings = random.uniform(-math.pi, math.pi, (count, num_envs))
        steps = [round((self.push_first + index * self.push_interval) / step_dt) for index in range(count)]
        pushes = self.push_speed * np.stack((np.cos(headings), np.sin(headings)), axis=-1)
        return Draw(payload, friction, dict(zip(steps, pushes, strict=True)))


@dataclass(frozen=True)
class Draw:
    """What each robot of a rollout meets."""

    payload: np.ndarray
    """Added mass [kg], shape ``[num_envs]``."""
    friction: np.ndarray
    """Coefficients, shape ``[num_envs]``."""
    pushes: dict[int, np.ndarray]
    """Changes of the velocity in the world's frame [m/s], shape ``[num_envs, 2]``, by the step that they precede."""

    def prepare(self, env: Any, nominal_mass: torch.Tensor) -> None:
        """Load the robots and set their friction.

        Args:
            env: Isaac Lab's environment.
            nominal_mass: Mass of each body [kg], shape ``[num_envs, bodies]``.
        """
        robot = env.scene["robot"]
        masses = nominal_mass.clone()
        masses[:, robot.find_bodies("base")[0][0]] += torch.tensor(self.payload).to(masses)
        robot.set_masses_index(masses=masses)
        set_friction(env, torch.tensor(self.friction))

    def push(self, env: Any, step: int) -> None:
        """Push the robots if it is time."""
        if step not in self.pushes:
            return
        robot = env.scene["robot"]
        velocity = robot.data.root_vel_w.torch.clone()
        velocity[:, :2] += velocity.new_tensor(self.pushes[step])
        robot.write_root_velocity_to_sim_index(root_velocity=velocity)


DISTURBANCES = Disturbances()
"""Those that `evaluate` puts robots to."""
