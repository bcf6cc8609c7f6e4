"""Errors that a person reads: what is wrong, why, and the nearest valid choice."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ConfigurationError(ValueError):
    """A task, a preset or an override that does not fit."""


def did_you_mean(name: str, choices: Iterable[str], *, count: int = 3) -> str:
    """A sentence «Did you mean …?», or an empty string where nothing comes close."""
    choices = list(choices)
    leaf = name.rpartition(".")[2]
    same_leaf = [choice for choice in choices if choice.rpartition(".")[2] == leaf]
    close = difflib.get_close_matches(name, choices, n=count, cutoff=0.6)
    found = list(dict.fromkeys([*same_leaf, *close]))[:count]
    return f" Did you mean {' or '.join(repr(choice) for choice in found)}?" if found else ""


def check_choice(kind: str, name: str, choices: Iterable[str]) -> None:
    """Refuse a name that is none of ``choices``.

    Raises:
        ConfigurationError: There is no such ``kind``; the message names all there are, and the nearest.
    """
    choices = list(choices)
    if name not in choices:
        raise ConfigurationError(
            f"there is no {kind} {name!r}; there are {', '.join(choices)}.{did_you_mean(name, choices)}"
        )
