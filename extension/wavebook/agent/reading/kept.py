"""What a directive says to leave alone: parameters it forbids to change, and all that it does not name."""

from __future__ import annotations

import re

from wavebook.agent.reading.names import mentioned, names
from wavebook.agent.reading.text import Text
from wavebook.agent.vocabulary import AMOUNT, FORBID, GROUPS, KEEP, LOWER, ONLY, RAISE, SCALED, TRY
from wavebook_tools.tasks import TaskSchema


def forbidden(text: Text, schema: TaskSchema) -> None:
    """«Don't lower the entropy» leaves it alone: read without its first word, it would say the opposite."""
    for words, name in mentioned(text, schema):
        if text.take(rf"\b(?:{FORBID})\s+(?:the\s+|its\s+)?(?:{words})\b(?:\s+(?:weights?|terms?|penalt\w+))?"):
            text.found.kept.append(name)
            text.note(f"leave {name} alone")


def only(text: Text, schema: TaskSchema) -> None:
    """«Try only the learning rate» leaves out what it does not name; «only 2 seeds» says nothing of that."""
    ways = rf"(?:(?:{TRY}|{RAISE}|{LOWER}|{SCALED})\s+)*(?:with\s+)?(?:the\s+|its\s+|a\s+)?"
    full = r"(?:env|agent)\.\w+"
    for words in [full, *(words for words, _ in mentioned(text, schema))]:
        before = rf"\b(?P<only>{ONLY})\s+{ways}(?:{AMOUNT})?\s*(?:{words})"
        after = rf"\b(?:{words})(?:[\w.]*\w)?(?:\s+(?:weights?|terms?))?\s+(?P<only>only|alone)\b"
        for pattern in (before, after):
            if match := re.search(pattern, text.rest):
                text.blank(*match.span("only"))
                text.found.nothing_else = True


def kept(text: Text, schema: TaskSchema) -> None:
    fixed = r"(?:\s+(?:as\s+\w+(?:\s+\w+)?|fixed|unchanged))?"
    for words, name in (*names(schema), *GROUPS.items()):
        changes = r"(?:changes?|modifications?|tweaks?)"
        left = rf"\b(?:{KEEP})\s+(?:the\s+|its\s+)?(?:{words}){fixed}\b"
        if text.take(left) or text.take(rf"\b(?:no|without)\s+(?:any\s+)?(?:{words})\s+{changes}\b"):
            text.found.kept.append(name)
            text.note(f"leave {name} alone")
