"""Characters that show nothing or turn the order of others round: they mislead the person who approves a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


def unseen(text: str) -> Iterator[str]:
    """A phrase for each such character of a text, with its line; tabs and ends of lines are none."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        for character in line:
            if character != "\t" and unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}:
                yield f"line {number}: a character that is not seen (U+{ord(character):04X})"
