"""The text of a directive, out of which the steps of its reading take what they recognise."""

from __future__ import annotations

import re

from wavebook.agent.directive import Directive

TAKEN = "\x1f"
"""Stands where words were taken out, so that what lies on either side does not join."""


class Text:
    """What of a directive is not taken yet, and what was made of the rest."""

    def __init__(self, written: str) -> None:
        # Lower case where that keeps each character in its place.
        self.rest = "".join(c.lower() if c.isascii() else c for c in written.replace("’", "'"))
        self.found = Directive(written)
        self.refused: list[str] = []
        """What was read and cannot be followed."""

    def take(self, pattern: str | re.Pattern[str]) -> list[re.Match[str]]:
        """All matches, taken out of the text."""
        matches = list(re.finditer(pattern, self.rest))
        for match in matches:
            self.blank(match.start(), match.end())
        return matches

    def blank(self, start: int, end: int) -> None:
        self.rest = self.rest[:start] + TAKEN * (end - start) + self.rest[end:]

    def note(self, what: str) -> None:
        if what not in self.found.notes:
            self.found.notes.append(what)
