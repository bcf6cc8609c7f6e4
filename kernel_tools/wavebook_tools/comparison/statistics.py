"""What differs by more than chance, from very few seeds.

The rule: a difference under two standard errors is «no different». Two standard errors hold 95.45 percent of a normal
distribution, but only if the standard deviation is known; it is estimated here, often from two or three seeds. So the
factor 2 is replaced by Student's t for the same 95.45 percent and the degrees of freedom that the estimate has: 13.97
for one, 2.87 for four, 2 for infinitely many. (JCGM 100:2008, «Guide to the expression of uncertainty in measurement»,
annex G: G.3 and table G.2.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

SEEDS_FOR_OWN_NOISE = 5
"""From so many seeds on either side the two experiments' own spreads are used (Welch); below, a pooled one."""

_T_95_45 = (
    13.97, 4.53, 3.31, 2.87, 2.65, 2.52, 2.43, 2.37, 2.32, 2.28,
    2.25, 2.23, 2.21, 2.20, 2.18, 2.17, 2.16, 2.15, 2.14, 2.13,
)  # fmt: skip
_T_95_45_LATER = {25: 2.11, 30: 2.09, 35: 2.07, 40: 2.06, 45: 2.06, 50: 2.05, 100: 2.025}
"""Table G.2 of JCGM 100:2008, column 95.45 %."""


@dataclass(frozen=True)
class Noise:
    """How far seeds of one and the same experiment lie apart."""

    deviation: float
    """Standard deviation between seeds, in the unit of the metric."""
    degrees: float
    """Degrees of freedom of that estimate."""
    source: str
    """What it was measured from, for human eyes."""

    @property
    def factor(self) -> float:
        """How many standard errors a difference must exceed."""
        return coverage_factor(self.degrees)


def coverage_factor(degrees: float) -> float:
    """Student's t that holds 95.45 percent, between two-sided limits, at so many degrees of freedom; never below 2.

    Degrees that are not in the table, fractional ones among them, take the next lower entry, which is the safe side.

    Raises:
        ValueError: Less than one degree of freedom: nothing is known about the noise.
    """
    if not degrees >= 1:
        raise ValueError(f"{degrees} degrees of freedom leave the noise unknown")
    if math.isinf(degrees):
        return 2.0
    whole = int(degrees)
    if whole <= len(_T_95_45):
        return _T_95_45[whole - 1]
    return next((t for least, t in reversed(_T_95_45_LATER.items()) if whole >= least), _T_95_45[-1])


def pooled(groups: Sequence[Sequence[float]], source: str) -> Noise | None:
    """One noise from several experiments: the root of sum (n_i - 1) s_i² / sum (n_i - 1).

    Assumes that seeds scatter alike in all of them, which is the price of judging with two seeds at all.

    Args:
        groups: The metric of each experiment's seeds; those with less than two are left out.
        source: What the groups are, for human eyes.

    Returns:
        None where no experiment has two seeds, or where all seeds agree to the last digit: then the seed did not
        take effect, and an agreement of copies is no measure of noise.
    """
    several = [group for group in groups if len(group) > 1]
    degrees = sum(len(group) - 1 for group in several)
    if degrees == 0:
        return None
    squared = sum((len(group) - 1) * variance(group) for group in several) / degrees
    return Noise(math.sqrt(squared), degrees, source) if squared > 0 else None


@dataclass(frozen=True)
class Difference:
    """Experiment minus baseline."""

    value: float
    standard_error: float
    degrees: float
    noise: Noise

    @property
    def threshold(self) -> float:
        """What the difference must exceed to be one."""
        return coverage_factor(self.degrees) * self.standard_error

    @property
    def real(self) -> bool:
        """Whether it exceeds what chance explains."""
        return abs(self.value) > self.threshold


def difference(experiment: Sequence[float], baseline: Sequence[float], noise: Noise | None) -> Difference | None:
    """The difference of two means and its standard error.

    With at least five seeds on both sides: s_d = sqrt(s_e²/n_e + s_b²/n_b), degrees of freedom by Welch and
    Satterthwaite (JCGM 100:2008, G.4.1). Otherwise s_d = s sqrt(1/n_e + 1/n_b) with the pooled ``noise`` s.

    Args:
        experiment: The metric of the experiment's seeds, at least one.
        baseline: The metric of the baseline's seeds, at least one.
        noise: The pooled noise, if any is known.

    Returns:
        None where the noise is unknown.
    """
    value = fmean(experiment) - fmean(baseline)
    count, base_count = len(experiment), len(baseline)
    if min(count, base_count) >= SEEDS_FOR_OWN_NOISE:
        own, base = variance(experiment) / count, variance(baseline) / base_count
        if own + base > 0:
            degrees = (own + base) ** 2 / (own**2 / (count - 1) + base**2 / (base_count - 1))
            # The spread of one seed that would give this standard error, to name one number as the noise.
            deviation = math.sqrt((own + base) / (1 / count + 1 / base_count))
            welch = Noise(deviation, degrees, f"the {count} and {base_count} seeds of both (Welch)")
            return Difference(value, math.sqrt(own + base), degrees, welch)
    if noise is None:
        return None
    return Difference(value, noise.deviation * math.sqrt(1 / count + 1 / base_count), noise.degrees, noise)
