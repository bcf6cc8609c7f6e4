"""What the evaluation asks of a policy, versioned; a change of anything here needs another version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from wavebook_locomotion.errors import check_choice
from wavebook_locomotion.terrains.sets import SETS

DEFAULT_SET = "full"
"""The ground where none is asked for."""


@dataclass(frozen=True)
class Command:
    """A velocity in the base's frame, held for the whole rollout."""

    name: str
    x: float
    """Forward [m/s]."""
    y: float
    """To the left [m/s]."""
    yaw: float
    """Turning to the left [rad/s]."""


@dataclass(frozen=True)
class Protocol:
    """The definition of an evaluation. Its size (robots, seconds) is not part of it: both stand in the result."""

    name: str = "wavebook"
    version: int = 1
    seed: int = 20260322
    commands: tuple[Command, ...] = (
        Command("standing", 0.0, 0.0, 0.0),
        Command("straight", 0.5, 0.0, 0.0),
        Command("straight fast", 1.0, 0.0, 0.0),
        Command("straight backward", -0.5, 0.0, 0.0),
        Command("sideways left", 0.0, 0.5, 0.0),
        Command("sideways right", 0.0, -0.5, 0.0),
        Command("turning left", 0.0, 0.0, 1.0),
        Command("turning right", 0.0, 0.0, -1.0),
        Command("mixed left", 0.5, 0.25, 0.5),
        Command("mixed right", 0.5, -0.25, -0.5),
    )
    commands_of_a_task: str = "those within the ranges that the task draws its commands from, overrides apart"
    settle_seconds: float = 1.0
    """Time after the start in which the error does not count: robots start from rest."""
    start_position: float = 0.5
    """Start within this distance of the terrain's origin along x and y [m], with any heading."""
    start_speed: float = 0.0
    """Start within these linear [m/s] and angular [rad/s] speeds along each axis."""
    start_joints: tuple[float, float] = (0.9, 1.1)
    """Start with the standing angles times a factor in this range."""
    after_fall: str = "the error counts as if the robot stood still where it fell"
    disturbances: str = "none: no observation noise, no pushes, nominal mass, centre of mass and friction"
    levels: int = 10
    """Levels of difficulty of each terrain."""
    level_command: Command = field(default=Command("level", 0.5, 0.0, 0.0))
    level_distance: float = 4.0
    """A level is cleared by walking this far from its origin without a fall [m], …"""
    level_fraction: float = 0.5
    """… or this part of the commanded way where that is shorter."""
    terrain_seed: int = 7
    terrain_set: str = DEFAULT_SET
    """The ground of a task that has several (`wavebook_locomotion.terrains.sets`)."""

    def way_to_clear(self, seconds: float, speed: float) -> float:
        """How far a robot must get from a level's origin to clear it [m].

        Args:
            seconds: Length of the rollout [s].
            speed: Commanded [m/s].
        """
        return min(self.level_distance, self.level_fraction * seconds * speed)

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of SHA-256 over the definition.

        The default ground is left out of it: that was the only one before others could be chosen.
        """
        definition = asdict(self)
        if self.terrain_set == DEFAULT_SET:
            del definition["terrain_set"]
        return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:12]

    def describe(self) -> dict[str, object]:
        """Name, version, ground and hash, as they stand in a result."""
        return {"name": self.name, "version": self.version, "terrain_set": self.terrain_set, "hash": self.hash}

    def on(self, terrain_set: str) -> Protocol:
        """The same protocol on another ground.

        Raises:
            ConfigurationError: There is no such set; the message names the nearest.
        """
        check_choice("terrain set", terrain_set, SETS)
        return replace(self, terrain_set=terrain_set)


PROTOCOL = Protocol()
"""The protocol that `evaluate` follows."""


def spread(count: int, choices: int, seed: int) -> np.ndarray:
    """For each of ``count`` robots one of ``choices``, each as often as the others (give or take one), shuffled.

    Returns:
        Indices, shape ``[count]``.
    """
    return np.random.default_rng(seed).permutation(np.arange(count) % choices)


def mean_and_error(values: np.ndarray, groups: np.ndarray) -> tuple[float, float | None]:
    """The mean over groups of their means, and its standard error.

    The error pools the variance within groups: ``s * sqrt(sum(1 / n_g)) / G`` with
    ``s^2 = sum((x - mean_g)^2) / (N - G)``.

    Args:
        values: One value for each robot, shape ``[N]``.
        groups: The group of each, shape ``[N]``.

    Returns:
        The mean, and the standard error or None where no group has two robots.
    """
    names, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.bincount(index, weights=values) / counts
    freedom = len(values) - len(names)
    if freedom < 1:
        return float(means.mean()), None
    variance = float(((values - means[index]) ** 2).sum() / freedom)
    return float(means.mean()), float(np.sqrt(variance * (1.0 / counts).sum()) / len(names))
