"""Something that learns in a twentieth of a second: point masses that follow commanded velocities, taught by PPO.

The policy is linear with a Gaussian around it; it is trained by the clipped objective (Schulman et al. 2017, «Proximal
Policy Optimization Algorithms») on advantages by GAE (Schulman et al. 2016). What a plan may override in the flat task
is read by the same names, as far as a point mass has it: reward weights, the kernel's width, the learner, the action's
scale. So its errors depend on those as real training does: with interactions, with noise of its seeds, and around
presets that somebody chose.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wavebook_tools.records.plan import Overrides
from wavebook_tools.tasks import TaskSchema

Array = NDArray[np.float64]

MASSES = 64
ITERATIONS = 30
STEPS = 16
"""Of each mass an iteration."""

EPOCHS = 5
STEP = 0.1
"""Seconds of a step [s]."""

CLIP, LAMBDA = 0.2, 0.95
TRUE_SEEDS = range(1000, 1008)
"""Over which a configuration's true error is the mean."""

_REWARDS = "env.rewards."
_PPO = "agent.algorithm."
NAMES = {
    "tracking": f"{_REWARDS}track_lin_vel_xy_exp.weight",
    "width": f"{_REWARDS}track_lin_vel_xy_exp.params.std",
    "rate": f"{_REWARDS}action_rate_l2.weight",
    "learning_rate": f"{_PPO}learning_rate",
    "entropy": f"{_PPO}entropy_coef",
    "gamma": f"{_PPO}gamma",
    "std": "agent.actor.distribution_cfg.init_std",
    "scale": "env.actions.joint_pos.scale",
}


@dataclass
class PointMass:
    """A kind of masses to learn with; how they move is drawn anew for each."""

    schema: TaskSchema
    push: float
    """Acceleration by a full action at a scale of 0.25 [m/s²]."""
    drag: float
    """Per second."""
    lag: float
    """How much of the action before is left in the one that acts."""
    _known: dict[str, float] = field(default_factory=dict)

    @classmethod
    def drawn(cls, schema: TaskSchema, chance: random.Random) -> PointMass:
        """One of many."""
        return cls(schema, chance.uniform(2.0, 6.0), chance.uniform(0.5, 2.0), chance.uniform(0.0, 0.6))

    def error(self, overrides: Overrides) -> float:
        """The velocity error of a configuration over many seeds [m/s]."""
        key = repr(sorted(overrides.items()))
        if key not in self._known:
            self._known[key] = float(np.mean([self.trained(overrides, seed) for seed in TRUE_SEEDS]))
        return self._known[key]

    def measured(self, overrides: Overrides, chance: random.Random) -> float:
        """The velocity error of one training [m/s]."""
        return self.trained(overrides, chance.randrange(1000))

    def trained(self, overrides: Overrides, seed: int) -> float:
        """The velocity error after a training with a seed [m/s]."""
        given = {short: float(self.schema.value_of(name, overrides)) for short, name in NAMES.items()}
        chance = np.random.default_rng(seed)
        policy, value = np.zeros(4), np.zeros(6)
        log_std = np.array([math.log(given["std"])])
        learner = _Adam(given["learning_rate"], policy, log_std)
        state = _State.begun(chance)
        for _ in range(ITERATIONS):
            deviation = float(np.exp(log_std[0]))
            seen, done, rewards, values = [], [], [], []
            for _ in range(STEPS):
                observed = state.observed
                action = observed @ policy + deviation * chance.standard_normal(MASSES)
                seen.append(observed)
                done.append(action)
                values.append(_features(observed) @ value)
                rewards.append(state.step(self, action, given, chance))
            values.append(_features(state.observed) @ value)
            advantages, returns = _advantages(np.array(rewards), np.array(values), given["gamma"])
            observed, action = np.concatenate(seen), np.concatenate(done)
            known = _features(observed)
            # The value by least squares with a weight that keeps it calm.
            value = np.linalg.solve(known.T @ known + 10 * np.eye(6), known.T @ returns.ravel() + 10 * value)
            flat = advantages.ravel()
            flat = (flat - flat.mean()) / (flat.std() + 1e-8)
            before = -0.5 * ((action - observed @ policy) / deviation) ** 2 - log_std[0]
            for _ in range(EPOCHS):
                std = math.exp(log_std[0])
                off = (action - observed @ policy) / std
                ratio = np.exp(np.clip(-0.5 * off**2 - log_std[0] - before, -20, 20))
                pulls = np.where((flat > 0) & (ratio > 1 + CLIP) | (flat < 0) & (ratio < 1 - CLIP), 0.0, ratio * flat)
                by_policy = observed.T @ (pulls * off / std) / len(flat)
                by_std = float((pulls * (off**2 - 1)).mean()) + given["entropy"]
                learner.climb(by_policy, np.array([by_std]))
        return self._evaluated(policy, given)

    def _evaluated(self, policy: Array, given: dict[str, float]) -> float:
        """The fixed evaluation: without randomness, the same commands for all."""
        state = _State.begun(np.random.default_rng(12345))
        errors = []
        for step in range(60):
            state.step(self, state.observed @ policy, given, None)
            if step >= 15:
                errors.append(np.abs(state.velocity - state.command).mean())
        return float(np.mean(errors))


@dataclass
class _State:
    """Masses that move."""

    velocity: Array
    command: Array
    last: Array
    acting: Array

    @classmethod
    def begun(cls, chance: np.random.Generator) -> _State:
        """At rest, with commands from -1 to 1 m/s."""
        return cls(np.zeros(MASSES), chance.uniform(-1, 1, MASSES), np.zeros(MASSES), np.zeros(MASSES))

    @property
    def observed(self) -> Array:
        """Command, velocity, last action and a one [MASSES, 4]."""
        return np.stack([self.command, self.velocity, self.last, np.ones(MASSES)], axis=1)

    def step(
        self, kind: PointMass, action: Array, given: dict[str, float], chance: np.random.Generator | None
    ) -> Array:
        """Move by one step, now and then towards a new command where there is chance; returns the rewards."""
        clipped = np.clip(action, -4.0, 4.0)
        self.acting = kind.lag * self.acting + (1 - kind.lag) * clipped
        push = kind.push * given["scale"] / 0.25 * self.acting
        self.velocity = self.velocity + STEP * (push - kind.drag * self.velocity)
        error = self.velocity - self.command
        change = clipped - self.last
        self.last = clipped
        reward: Array = STEP * (
            given["tracking"] * np.exp(-((error / given["width"]) ** 2)) + 12 * given["rate"] * change**2
        )
        if chance is not None:
            anew = chance.random(MASSES) < 0.02
            self.command = np.where(anew, chance.uniform(-1, 1, MASSES), self.command)
        return reward


class _Adam:
    """Kingma and Ba 2015, upwards."""

    def __init__(self, rate: float, *values: Array) -> None:
        self.rate, self.values, self.count = rate, values, 0
        self.first = [np.zeros_like(value) for value in values]
        self.second = [np.zeros_like(value) for value in values]

    def climb(self, *slopes: Array) -> None:
        self.count += 1
        for value, slope, first, second in zip(self.values, slopes, self.first, self.second, strict=True):
            first += 0.1 * (slope - first)
            second += 0.001 * (slope**2 - second)
            fair = np.sqrt(second / (1 - 0.999**self.count)) + 1e-8
            value += 5 * self.rate * first / (1 - 0.9**self.count) / fair


def _features(observed: Array) -> Array:
    error = observed[:, 0] - observed[:, 1]
    columns = [np.ones(len(error)), error, error**2, np.abs(error), observed[:, 0] ** 2, observed[:, 2] ** 2]
    return np.stack(columns, axis=1)


def _advantages(rewards: Array, values: Array, gamma: float) -> tuple[Array, Array]:
    found = np.zeros_like(rewards)
    ahead = np.zeros(rewards.shape[1])
    for step in reversed(range(len(rewards))):
        surprise = rewards[step] + gamma * values[step + 1] - values[step]
        ahead = surprise + gamma * LAMBDA * ahead
        found[step] = ahead
    return found, found + values[:-1]
