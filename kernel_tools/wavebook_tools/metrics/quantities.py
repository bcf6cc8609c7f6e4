"""What a metric's name means: the words for an axis title, the unit, and which direction is an improvement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

NO_UNIT = "–"


@dataclass(frozen=True)
class Quantity:
    """A metric for human eyes."""

    name: str
    label: str
    unit: str = NO_UNIT
    better: Literal["down", "up"] | None = None

    @property
    def title(self) -> str:
        """Label and unit in one line."""
        return f"{self.label} [{self.unit}]"

    @property
    def axis(self) -> str:
        """The unit in words, for the axis of a figure that carries the label as its title."""
        return self.unit if self.unit != NO_UNIT else "no unit"


_KNOWN = {
    known.name: known
    for known in (
        # The training's, with rsl_rl's names.
        Quantity("Train/mean_reward", "Mean episode reward"),
        Quantity("Train/mean_episode_length", "Mean episode length", "environment steps", "up"),
        # Means over every environment step of the iteration; Isaac Lab's own cover only the episodes that ended in it.
        Quantity("Metrics/error_vel_xy", "Velocity error xy, training", "m/s", "down"),
        Quantity("Metrics/error_vel_yaw", "Yaw rate error, training", "rad/s", "down"),
        Quantity("Metrics/base_velocity/error_vel_xy", "Velocity error xy, ended episodes", "m/s", "down"),
        Quantity("Metrics/base_velocity/error_vel_yaw", "Yaw rate error, ended episodes", "rad/s", "down"),
        Quantity("Episode_Termination/time_out", "Episodes ended by time-out, training", "fraction", "up"),
        Quantity("Episode_Termination/base_contact", "Episodes ended by a fall, training", "fraction", "down"),
        Quantity("Curriculum/terrain_levels", "Terrain level, training", "level", "up"),
        Quantity("Loss/value", "Value loss"),
        Quantity("Loss/surrogate", "Surrogate loss"),
        Quantity("Loss/entropy", "Policy entropy", "nat"),
        Quantity("Loss/learning_rate", "Learning rate"),
        Quantity("Loss/velocity_estimate", "Velocity estimate, mean squared error", "m²/s²", "down"),
        Quantity("Loss/velocity_variance", "Velocity estimate, error of guessing the mean", "m²/s²"),
        Quantity("Loss/swapped_prediction", "Swapped prediction loss"),
        Quantity("Loss/symmetry", "Difference of actions in the mirror", better="down"),
        Quantity("Policy/mean_std", "Action standard deviation"),
        Quantity("Perf/total_fps", "Simulation and learning speed", "env steps/s", "up"),
        Quantity("Perf/collection_time", "Time collecting, per iteration", "s", "down"),
        Quantity("Perf/learning_time", "Time learning, per iteration", "s", "down"),
        # The fixed evaluation's, the keys of result.json.
        Quantity("error_vel_xy", "Velocity error xy, evaluation", "m/s", "down"),
        Quantity("error_vel_yaw", "Yaw rate error, evaluation", "rad/s", "down"),
        Quantity("time_out", "Episodes survived, evaluation", "fraction", "up"),
        Quantity("terrain_level", "Terrain level cleared, evaluation", "level", "up"),
        Quantity("cost_of_transport", "Cost of transport, evaluation", better="down"),
        Quantity("torque_use", "Torque use, evaluation", "share of the limit", "down"),
        Quantity("torque_saturated", "Torque at its limit, evaluation", "fraction", "down"),
        Quantity("joint_limit_use", "Joints near their limits, evaluation", "fraction", "down"),
        Quantity("env_steps_per_second", "Training speed", "env steps/s", "up"),
        Quantity("train_seconds", "Training time", "s", "down"),
    )
}

_GROUPS = {
    # Isaac Lab divides a term's episode sum by the longest episode in seconds.
    "Episode_Reward": ("Reward term {}", "1/s"),
    "Episode_Termination": ("Episodes ended by {}", "fraction"),
    "Curriculum": ("Curriculum {}", NO_UNIT),
    "Metrics": ("{}", NO_UNIT),
    "Loss": ("{} loss", NO_UNIT),
    "Policy": ("Policy {}", NO_UNIT),
    "Perf": ("{}", NO_UNIT),
}


def quantity(name: str) -> Quantity:
    """The quantity behind a metric's name; an unknown name is its own label and has no unit."""
    if name in _KNOWN:
        return _KNOWN[name]
    group, _, rest = name.partition("/")
    pattern, unit = _GROUPS.get(group, ("{}", NO_UNIT))
    label = pattern.format((rest or name).replace("/", " ").replace("_", " "))
    return Quantity(name, label[:1].upper() + label[1:], unit)


PREFERENCE = (
    "Metrics/error_vel_xy",
    "Train/mean_reward",
    "Episode_Termination/time_out",
    "Curriculum/terrain_levels",
    "Train/mean_episode_length",
    "Metrics/error_vel_yaw",
    "Policy/mean_std",
    "Perf/total_fps",
)
"""Which curves tell most about a velocity policy, most telling first."""


def by_preference(names: set[str]) -> list[str]:
    """The names in the order a reader wants them: the telling ones first, then reward terms, then the rest."""

    def rank(name: str) -> tuple[int, str]:
        if name in PREFERENCE:
            return PREFERENCE.index(name), name
        return len(PREFERENCE) + (0 if name.startswith("Episode_Reward/") else 1), name

    return sorted(names, key=rank)


def format_number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, without an exponent where that stays short."""
    if not math.isfinite(value):
        return "not finite"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def counted(number: int, noun: str) -> str:
    """A number of things, as ``1 wave`` and ``2 waves``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
