"""Which sub-terrains break a configuration: the smallest sets of them, found by delta debugging."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wavebook_locomotion.errors import ConfigurationError

Breaks = Callable[[tuple[str, ...]], bool]
"""Says whether a configuration breaks on a ground of these sub-terrains alone."""


@dataclass(frozen=True)
class Bisection:
    """What breaks, and how it was found."""

    causes: tuple[tuple[str, ...], ...]
    """Sets of sub-terrains that break it, none of which breaks it any more once one is taken out; empty if it holds."""
    trials: dict[tuple[str, ...], bool]
    """Each ground that was tried and whether it broke, in the order of the trials."""
    complete: bool
    """Whether every cause was found before the trials ran out."""
    everywhere: bool = False
    """Whether it breaks on level ground too, so that no sub-terrain is to blame."""

    def sentence(self) -> str:
        """The result in words."""
        tried = f"after {len(self.trials)} trial{'' if len(self.trials) == 1 else 's'}"
        if self.everywhere:
            return f"It breaks on level ground too: no sub-terrain is the cause, {tried}."
        if not self.causes:
            return f"No sub-terrain breaks it, {tried}." if self.complete else f"Not found {tried}."
        named = "; ".join(" together with ".join(cause) for cause in self.causes)
        return f"It breaks on: {named} ({tried}{'' if self.complete else ', there may be more'})."


def bisect(sub_terrains: Sequence[str], breaks: Breaks, *, level: str | None = None, max_trials: int = 64) -> Bisection:
    """Find the smallest sets of ``sub_terrains`` on which a configuration breaks.

    The minimising algorithm ``ddmin`` of Zeller and Hildebrandt (Simplifying and Isolating Failure-Inducing Input, IEEE
    Transactions on Software Engineering 28(2), 2002), repeated on what remains without the causes found before. For one
    cause among ``n`` that takes about ``2 log2(n)`` trials; each ground is tried once.

    Args:
        sub_terrains: Names to search.
        breaks: The trial. One that is left to chance should break in nearly every repetition.
        level: Ground to compare with. What breaks there as well, a missing device among it, ends the search.
        max_trials: Bound on the number of trials; what was found until then is returned.

    Raises:
        ConfigurationError: No names, or a name that stands twice.
    """
    names = tuple(sub_terrains)
    if not names or len(set(names)) != len(names):
        raise ConfigurationError(f"a bisection needs different sub-terrains, not {list(names)}")
    trials: dict[tuple[str, ...], bool] = {}

    def tried(chosen: Iterable[str]) -> bool:
        # Always in one order, so that a ground is tried once.
        wanted = set(chosen)
        ground = tuple(name for name in names if name in wanted)
        if not ground:
            return False
        if ground not in trials:
            if len(trials) >= max_trials:
                raise _OutOfTrialsError
            trials[ground] = breaks(ground)
        return trials[ground]

    causes: list[tuple[str, ...]] = []
    rest = names
    try:
        if level is not None and tried(rest):
            if (level,) not in trials:
                trials[(level,)] = breaks((level,))
            if trials[(level,)]:
                return Bisection((), trials, complete=True, everywhere=True)
        while tried(rest):
            cause = _ddmin(rest, tried)
            causes.append(cause)
            rest = tuple(name for name in rest if name not in cause)
    except _OutOfTrialsError:
        return Bisection(tuple(causes), trials, complete=False)
    return Bisection(tuple(causes), trials, complete=True)


class _OutOfTrialsError(Exception):
    pass


def _ddmin(names: tuple[str, ...], tried: Callable[[Iterable[str]], bool]) -> tuple[str, ...]:
    parts = 2
    while len(names) > 1:
        chunks = _split(names, parts)
        smaller = next((chunk for chunk in chunks if tried(chunk)), None)
        if smaller is not None:
            names, parts = smaller, 2
            continue
        complements = (tuple(name for name in names if name not in chunk) for chunk in chunks)
        smaller = next((complement for complement in complements if tried(complement)), None)
        if smaller is not None:
            names, parts = smaller, max(parts - 1, 2)
        elif parts == len(names):
            break
        else:
            parts = min(2 * parts, len(names))
    return names


def _split(names: tuple[str, ...], parts: int) -> list[tuple[str, ...]]:
    bounds = [round(index * len(names) / parts) for index in range(parts + 1)]
    return [names[low:high] for low, high in itertools.pairwise(bounds) if high > low]
