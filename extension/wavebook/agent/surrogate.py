"""What a configuration would measure, guessed from the few that were: a Gaussian process with an ANOVA kernel.

Few trials over many parameters are told apart best by effects: most of what a configuration does is the sum of what its
parameters do alone, pairs add less, and most parameters matter little. The kernel says exactly that,

    k(x, x') = s² Π_i (1 + w_i exp(-(x_i - x'_i)² / 2 l²)),

with a weight for each parameter (Durrande et al. 2013, «ANOVA kernels and RKHS of zero mean functions for model-based
sensitivity analysis»). Which parameters matter is not decided once: several sets of weights are drawn from those that
explain the measurements (Neal 1997, «Monte Carlo implementation of Gaussian process models»).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WEIGHTS = (0.0, 0.02, 0.1, 0.5, 2.0)
"""What a parameter's weight may be."""

RARITY = 0.5
"""How much less likely each larger weight is, in logarithms: most parameters matter little."""

LENGTHS = (0.3, 0.6, 1.2)
"""How far an effect reaches, in parts of a parameter's range."""

SCALES = (0.5, 1.0, 2.0, 4.0)
"""The standard deviation ``s``, in those of the measurements."""

SWEEPS = 12
"""Rounds over all weights before the first set is kept."""

LEAST_NOISE = 1e-4
"""Of a measurement, in squared standard deviations of all: what the kernel cannot explain."""

ROUNDING = 1e-12
"""In parts of a covariance; numbers have 1e-16."""

BORDER = 1e12
"""Larger than any measurement's square over its noise."""

FAR = -6.0
"""From so many standard deviations behind the best on, an improvement is told by its asymptote."""


@dataclass(frozen=True)
class Shape:
    """The kernel with its numbers."""

    weights: Array
    """Of each parameter [D]."""
    length: float
    scale: float

    @property
    def variance(self) -> float:
        """Of a configuration before anything was measured."""
        return self.scale**2 * float(np.prod(1 + self.weights))

    def between(self, one: Array, other: Array) -> Array:
        """The covariance of configurations [N, D] with others [M, D], as [N, M]."""
        used = np.flatnonzero(self.weights)
        squares = (one[:, None, used] - other[None, :, used]) ** 2
        factors = 1 + self.weights[used] * np.exp(squares * (-0.5 / self.length**2))
        result: Array = self.scale**2 * factors.prod(axis=-1)
        return result


@dataclass(frozen=True)
class Measurements:
    """Configurations and what they measured, each number with its noise."""

    points: Array
    """From 0 to 1 in each parameter [N, D]."""
    values: Array
    """[N]."""
    noise: Array
    """The variance of each value [N]."""

    def with_one(self, point: Array, value: float, noise: float) -> Measurements:
        """These and another one."""
        return Measurements(
            np.vstack([self.points, point]), np.append(self.values, value), np.append(self.noise, noise)
        )


class Surrogate:
    """The mean over Gaussian processes of several shapes, after they have seen the measurements."""

    def __init__(self, shapes: Sequence[Shape], seen: Measurements, middle: float, unit: float) -> None:
        """Values count in units from the middle."""
        self.shapes, self.seen, self.middle, self.unit = shapes, seen, middle, unit
        values, noise = (seen.values - middle) / unit, seen.noise / unit**2
        known = (shape.between(seen.points, seen.points) for shape in shapes)
        self._factors = [np.linalg.cholesky(_with_noise(covariance, noise)) for covariance in known]
        self._solved = [np.linalg.solve(factor.T, np.linalg.solve(factor, values)) for factor in self._factors]

    def seeing(self, point: Array, noise: float) -> Surrogate:
        """As it would be had a configuration measured what is expected of it: the next proposal goes elsewhere."""
        expected = float(self.expected(point[None])[0][0])
        return Surrogate(self.shapes, self.seen.with_one(point, expected, noise), self.middle, self.unit)

    def expected(self, points: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of what configurations [M, D] measure, without the noise of a run."""
        means, deviations = self._each(points)
        mean = means.mean(axis=0)
        return mean, np.sqrt((deviations**2).mean(axis=0) + means.var(axis=0))

    def log_improvement(self, points: Array) -> Array:
        """The logarithm of how far below the lowest seen configurations [M, D] are expected to come, where they do.

        The expected improvement of Jones et al. 1998, «Efficient Global Optimization», with the lowest mean in the
        place of the lowest measurement, which is low by luck.
        """
        best = self.expected(self.seen.points)[0].min()
        means, deviations = self._each(points)
        each = [_log_improvement((best - m) / d) + np.log(d) for m, d in zip(means, deviations, strict=True)]
        result: Array = np.logaddexp.reduce(np.array(each), axis=0) - math.log(len(each))
        return result

    def _each(self, points: Array) -> tuple[Array, Array]:
        means, deviations = [], []
        for shape, factor, solved in zip(self.shapes, self._factors, self._solved, strict=True):
            between = shape.between(points, self.seen.points)
            explained = (np.linalg.solve(factor, between.T) ** 2).sum(axis=0)
            means.append(self.middle + self.unit * (between @ solved))
            deviations.append(self.unit * np.sqrt(np.maximum(shape.variance - explained, 1e-12)))
        return np.array(means), np.array(deviations)


def fitted(seen: Measurements, *, shapes: int = 16, seed: int = 0) -> Surrogate:
    """Processes whose shapes are drawn, by Gibbs sampling, from those that explain the measurements.

    The same measurements give the same surrogate.
    """
    chance = np.random.default_rng(seed)
    middle, unit = float(seen.values.mean()), float(seen.values.std()) or 1.0
    values, noise = (seen.values - middle) / unit, seen.noise / unit**2
    squares = (seen.points[:, None, :] - seen.points[None, :, :]).transpose(2, 0, 1) ** 2
    near = {length: np.exp(squares * (-0.5 / length**2)) for length in LENGTHS}
    sizes, rarity = np.array(WEIGHTS), RARITY * np.arange(len(WEIGHTS))
    chosen = np.zeros(len(squares), dtype=int)
    length, scale = LENGTHS[1], SCALES[1]

    def likelihoods(covariances: Array) -> Array:
        """Logarithms of how likely the measurements are under covariances without their noise [K, N, N]."""
        # With the measurements as a last row, the factor's last row is its inverse times them: all in one call.
        bordered = np.full((len(covariances), len(values) + 1, len(values) + 1), BORDER)
        bordered[:, :-1, :-1], bordered[:, :-1, -1], bordered[:, -1, :-1] = (
            _with_noise(covariances, noise),
            values,
            values,
        )
        factors = np.linalg.cholesky(bordered)
        determinants = np.log(np.diagonal(factors, axis1=1, axis2=2)[:, :-1]).sum(axis=1)
        result: Array = -0.5 * (factors[:, -1, :-1] ** 2).sum(axis=1) - determinants
        return result

    def product(length: float) -> Array:
        result: Array = (1 + sizes[chosen][:, None, None] * near[length]).prod(axis=0)
        return result

    def pick(scores: Array) -> int:
        likely = np.exp(scores - scores.max())
        return int(chance.choice(len(scores), p=likely / likely.sum()))

    drawn = []
    for sweep in range(SWEEPS + shapes):
        whole = product(length)
        for parameter in chance.permutation(len(squares)):
            own = near[length][parameter]
            others = whole / (1 + sizes[chosen[parameter]] * own)
            each = scale**2 * others * (1 + sizes[:, None, None] * own)
            chosen[parameter] = pick(likelihoods(each) - rarity)
            whole = others * (1 + sizes[chosen[parameter]] * own)
        length = LENGTHS[pick(likelihoods(scale**2 * np.array([product(one) for one in LENGTHS])))]
        scale = SCALES[pick(likelihoods(np.array(SCALES)[:, None, None] ** 2 * product(length)))]
        if sweep >= SWEEPS:
            drawn.append(Shape(sizes[chosen], length, scale))
    return Surrogate(drawn, seen, middle, unit)


def _with_noise(covariances: Array, noise: Array) -> Array:
    """Covariances [..., N, N] with the measurements' noise [N], and with what rounding may take from large ones."""
    rounding = ROUNDING * covariances.max(axis=(-2, -1), keepdims=True)
    result: Array = covariances + np.diag(noise + LEAST_NOISE) + rounding * np.eye(len(noise))
    return result


def _log_improvement(ahead: Array) -> Array:
    """Of a configuration that lies so many of its standard deviations ahead of the best, in units of them."""
    near, behind = np.maximum(ahead, FAR), np.maximum(-ahead, 1.0)
    density = np.exp(-0.5 * near**2) / math.sqrt(2 * math.pi)
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in near])
    exact = np.log(np.maximum(density + near * below, 1e-300))
    asymptote = -0.5 * behind**2 - 2 * np.log(behind) - 0.5 * math.log(2 * math.pi)
    return np.where(ahead < FAR, asymptote, exact)
