"""Errors that a person reads: what is wrong, why, and the nearest valid choice."""

from __future__ import annotations

from collections.abc import Iterable


class WavebookError(Exception):
    """The work failed. The command line ends with exit code 1, the server answers 409."""

    exit_code = 1
    http_status = 409


class UsageError(WavebookError):
    """The call was wrong. The command line ends with exit code 2, the server answers 400."""

    exit_code = 2
    http_status = 400


class NotFoundError(UsageError):
    """The call names something that is not there."""

    http_status = 404


def nearest(name: str, choices: Iterable[str], *, count: int = 3) -> list[str]:
    """The valid names closest to ``name``, best first.

    A dotted name is compared whole and by its last part, since a typing error is usually in one part only.
    """
    choices = list(choices)
    import difflib  # slow to import, and needed only where something is wrong

    close = difflib.get_close_matches(name, choices, n=count, cutoff=0.6)
    leaf = name.rpartition(".")[2]
    by_leaf = [choice for choice in choices if choice.rpartition(".")[2] == leaf]
    return list(dict.fromkeys([*close, *by_leaf]))[:count]


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A sentence «Did you mean …?», or an empty string where nothing comes close."""
    found = nearest(name, choices)
    return f" Did you mean {' or '.join(repr(choice) for choice in found)}?" if found else ""
