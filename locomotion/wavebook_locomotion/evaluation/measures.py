"""What walking costs, from sums over a rollout."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

GRAVITY = 9.81
"""Standard gravity, to two digits [m/s^2]."""

LEAST_PROGRESS = 0.1
"""A cost of transport is told from this share of the commanded way on; nearer to nothing it means nothing."""


def cost_of_transport(
    work: np.ndarray, progress: np.ndarray, asked: np.ndarray, mass: np.ndarray, groups: np.ndarray
) -> float | None:
    """The mean over commands of ``sum(work) / (g sum(mass progress))``, which has no unit.

    Source: Tucker, The energetic cost of moving about, American Scientist 63(4), 1975, with the mechanical work
    ``sum |tau qd| dt`` of the joints, braking counted like driving.

    Args:
        work: Mechanical work of each robot's joints [J], shape ``[N]``.
        progress: Its way along the commanded direction [m], shape ``[N]``.
        asked: The way that was commanded [m], shape ``[N]``; 0 for standing and turning, which do not count.
        mass: Its mass [kg], shape ``[N]``.
        groups: Its command, shape ``[N]``.

    Returns:
        None where no command moved its robots by a tenth of the way asked for.
    """
    costs = []
    for group in np.unique(groups):
        of = groups == group
        if asked[of].sum() > 0.0 and progress[of].sum() >= LEAST_PROGRESS * asked[of].sum():
            costs.append(work[of].sum() / (GRAVITY * (mass[of] * progress[of]).sum()))
    return float(np.mean(costs)) if costs else None


def interval(mean: float, error: float | None, freedom: int, share: float = 0.95) -> list[float] | None:
    """The confidence interval of a mean whose standard error was estimated from the same values.

    Student's t (W. S. Gosset, The probable error of a mean, Biometrika 6(1), 1908): with few robots the error itself
    is uncertain, and the 1.96 standard errors of a normal distribution hold the true mean less often than they say.

    Args:
        mean: The mean.
        error: Its standard error; None where it is unknown.
        freedom: Degrees of freedom of that error: values less the means that were taken out of them.
        share: How often such an interval holds the true mean.

    Returns:
        Lower and upper bound, or None.
    """
    if error is None:
        return None
    reach = float(stdtrit(freedom, 0.5 + share / 2.0)) * error
    return [mean - reach, mean + reach]
