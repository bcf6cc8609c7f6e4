"""Earlier experiments that a directive names: which they are, how they compare, and what they change together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wavebook.agent.evidence import Evidence, Ranking, Tried
from wavebook.agent.telling import amount
from wavebook_tools.comparison.statistics import difference
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.code import CodeOverride
from wavebook_tools.records.plan import Overrides

BEST = frozenset({"best", "winner"})
"""Names of whatever is the best so far."""


@dataclass(frozen=True)
class Together:
    """What several configurations change, in one."""

    overrides: Overrides
    code: Sequence[CodeOverride]


def find_named(names: Sequence[str], evidence: Evidence, ranking: Ranking | None) -> list[Tried]:
    """The configurations of some experiments, each once, in the order in which they are named.

    Raises:
        UsageError: There is no experiment of a name; the message gives the nearest. Or all names mean the same one.
    """
    found: list[Tried] = []
    for name in names:
        tried = ranking.best.tried if name in BEST and ranking is not None else evidence.find(name)
        if tried is None:
            raise no_experiment(name, evidence.known)
        if tried not in found:
            found.append(tried)
    if len(found) < 2:
        raise UsageError(f"{' and '.join(names)} are the same configuration, {found[0].name}")
    return found


def no_experiment(name: str, known: Sequence[str]) -> UsageError:
    """That there is no experiment of a name, with the nearest of those that are there."""
    told = did_you_mean(name, known) or f" Experiments here: {', '.join(known) or 'none yet'}."
    return UsageError(f"there is no experiment {name!r}.{told}")


def compared(found: Sequence[Tried], evidence: Evidence, metric: str) -> list[str]:
    """What the records say of some configurations: each one's number, and how far each lies from the first."""
    protocol, noise = evidence.protocol(metric), evidence.noise(metric)
    first, told = found[0], []
    for tried in found:
        values = tried.values(metric, protocol)
        told.append(f"{tried.name}: {amount(values, metric)}" if values else f"{tried.name} has no result yet")
    sentences = [f"In the records: {'; '.join(told)}."]
    for other in found[1:]:
        if other.size != first.size:
            sentences.append(f"{first.name} and {other.name} ran at different sizes, so their numbers say nothing.")
            continue
        between = difference(other.values(metric, protocol), first.values(metric, protocol), noise)
        if between is not None:
            apart = f"{abs(between.value) / between.standard_error:.1f} standard errors apart"
            meaning = "more than seeds explain" if between.real else "no more than seeds explain"
            sentences.append(f"{other.name} and {first.name} lie {apart}, {meaning}.")
    return sentences


def together(found: Sequence[Tried]) -> Together:
    """All that some configurations change, in one.

    Raises:
        UsageError: Two of them change the same differently.
    """
    overrides: Overrides = {}
    code: dict[str, CodeOverride] = {}
    owner: dict[str, Tried] = {}
    for tried in found:
        terms = {term.mark[0]: term for term in tried.code}
        for name, value in tried.changes.items():
            before = owner.setdefault(name, tried).changes[name]
            if before != value:
                raise UsageError(
                    f"{owner[name].name} and {tried.name} both change {name} ({before} and {value}), so they cannot be "
                    "combined; give the value that is meant"
                )
            if name in terms:
                code[name] = terms[name]
            else:
                overrides[name] = value
    return Together(overrides, list(code.values()))
