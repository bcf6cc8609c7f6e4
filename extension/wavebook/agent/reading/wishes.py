"""The parameters that a directive names, and which way each is to change."""

from __future__ import annotations

import re

from wavebook.agent.directive import Wish
from wavebook.agent.reading.names import mentioned, names
from wavebook.agent.reading.text import TAKEN, Text
from wavebook.agent.vocabulary import AMOUNT, LOWER, RAISE, REMOVE, SCALED, factor
from wavebook_tools.tasks import TaskSchema


def scaled(text: Text, schema: TaskSchema) -> None:
    """Changes by an amount: «double the entropy», «lower it by a third», «a 10x smaller learning rate»."""
    article, ways = r"(?:the\s+|its\s+|a\s+)?", rf"(?P<way>{RAISE}|{LOWER})"
    for words, name in mentioned(text, schema):
        if schema.parameters[name].type not in {"float", "int", "list"}:
            continue
        named = rf"{article}(?:{words})\b(?:\s+(?:weights?|terms?|rewards?|penalt\w+|values?|coef\w*))?"
        be = r"(?:\s+(?:should\s+be|to\s+be|is))?"
        patterns = (
            rf"\b{ways}\s+{named}\s+(?:by\s+)?(?P<amount>{AMOUNT})",
            rf"\b{named}{be}\s+(?:by\s+)?(?P<amount>{AMOUNT})\s+{ways}\b",
            rf"\b{article}(?P<amount>{AMOUNT})\s+{ways}\s+{named}",
            rf"\b(?P<amount>{SCALED})\s+{named}",
            rf"\b(?P<amount>{AMOUNT})\s+(?:of\s+)?the\s+(?:{words})\b",
            rf"\b{named}\s+(?P<amount>doubled|tripled|halved)\b",
            rf"\b{named}{be}\s+to\s+(?P<amount>{SCALED}|{AMOUNT})(?:\s+of\s+\w+(?:\s+\w+)?)?",
        )
        for pattern in patterns:
            for match in text.take(pattern):
                said = match.groupdict().get("way")
                way = None if said is None else "stronger" if re.fullmatch(RAISE, said) else "weaker"
                times = factor(match["amount"], way)
                if times < 0:  # by 150 % lower
                    text.refused.append(match[0])
                    continue
                text.found.wishes.append(Wish(name, "stronger" if times > 1 else "weaker", times))
                text.note(f"{name} times {times:.4g}")


def named(text: Text, schema: TaskSchema) -> None:
    for words, name in names(schema):
        for match in re.finditer(rf"\b(?:{words})\b(?:\s+(?:weights?|terms?|rewards?|penalt\w+))?", text.rest):
            way = wanted(text, match.start(), match.end())
            text.blank(match.start(), match.end())
            add_wish(text, name, way)


def wanted(text: Text, start: int, end: int) -> str:
    """What the words around a name want of it."""
    before = re.split(rf"[.;{TAKEN}]", text.rest[max(0, start - 40) : start])[-1]
    after = re.split(rf"[.;,{TAKEN}]", text.rest[end : end + 25])[0]
    ways = (("stronger", RAISE), ("weaker", LOWER), ("removed", REMOVE))
    nearest, chosen = -1, "either"
    for way, words in ways:
        for match in re.finditer(rf"\b(?:{words})\b", before):
            if match.start() > nearest:
                nearest, chosen = match.start(), way
    if nearest < 0:
        for way, words in ways[:2]:
            if re.match(rf"\s+(?:should\s+be\s+|to\s+be\s+|is\s+)?(?:{words})\b", after):
                return way
    return chosen


def add_wish(text: Text, name: str, way: str) -> None:
    if way == "removed":
        term = name.removesuffix(".weight")
        text.found.wishes.append(Wish(term, "removed"))
        text.note(f"without {term}")
    else:
        wish = Wish(name, "stronger" if way == "stronger" else "weaker" if way == "weaker" else "either")
        if wish not in text.found.wishes:
            text.found.wishes.append(wish)
        said = {"stronger": "raise {}", "weaker": "lower {}"}.get(way, "vary {}")
        text.note(said.format(name))
