"""What a directive says of experiments there are: by name or number, as the best, or as last time."""

from __future__ import annotations

import re
from collections.abc import Collection

from wavebook.agent.by_name import BEST
from wavebook.agent.reading.names import names
from wavebook.agent.reading.text import Text
from wavebook.agent.vocabulary import BY_NAME, JOINED, JOINING
from wavebook_tools.tasks import TaskSchema


def as_before(text: Text) -> None:
    """«Same as last time but with a learning rate of 5e-4»: the size and the base are the last wave's anyway, so it
    says that nothing else is to be tried."""
    before = r"(?:the\s+)?(?:last\s+(?:time|wave|one)|before|previous(?:\s+(?:wave|one|time))?)"
    same = rf"(?:(?:(?:the\s+)?same|exactly|just)\s+(?:as|like)|like|as)\s+{before}|same\s+again"
    if text.take(rf"\b(?:{same})\s*,?\s*\b(?:but|except|only|and)\b(?:\s+(?:now|this\s+time))?"):
        text.found.nothing_else = True


def by_name(text: Text, schema: TaskSchema | None, records: Collection[str]) -> None:
    """«Compare gait-weight and low-entropy», «combine exp002 with exp004»."""
    word = rf"(?<![\w-])(?!(?:{JOINING})\b)[a-z][a-z0-9_-]*"
    kind = r"(?:\s+(?:experiments?|runs?)\b)?"
    item = (
        rf"(?:the\s+|experiments?\s+|runs?\s+)*[\"'«“]?({_known(records)}|exp[0-9]{{3,}}|{word})[\"'»”]?(?![\w-]){kind}"
    )
    whose = r"(?:(?:the\s+)?(?:changes?|results?|effects?|settings?|ideas?)\s+(?:of|in|from)\s+)?"
    for intent, verbs in BY_NAME.items():
        for match in re.finditer(rf"\b(?:{verbs})\s+{whose}(?=({item}(?:{JOINED}{item})+))", text.rest):
            found = list(re.finditer(item, match[1]))
            named = [_recorded(one[1], records) for one in found]
            recorded = [name in records or name in BEST or bool(re.search(r"-|\d{3}", name)) for name in named]
            while len(named) > 2 and not recorded[len(named) - 1]:  # «… and track better»
                named.pop()
            some = any(name in records for name in named) or all(recorded)
            if some and not any(_is_parameter(name, schema, records) for name in named):
                text.found.intent, text.found.subjects = intent, named
                text.note(f"{intent} {', '.join(named[:-1])} and {named[-1]}")
                text.blank(match.start(), match.start(1) + found[len(named) - 1].end())
                return


def reproduction(text: Text, records: Collection[str]) -> None:
    verbs = r"\b(?:reproduc\w*|repeat\w*|replicat\w*|confirm\w*|verify|re-?run)\b"
    match = re.search(verbs + r"[^.;]{0,40}?\b(exp\d{3,}|best|winner|it|that|result\w*|baseline)\b", text.rest)
    match = re.search(rf"{verbs}\s+(?:the\s+)?({_known(records)})(?![\w-])", text.rest) or match
    if match:
        text.found.intent = "reproduce"
        name = _recorded(match[1], records)
        named = name.startswith("exp") or name in records
        text.found.subject = name if named else None
        text.note(f"repeat {name if named else 'the best so far'} with other seeds")
        text.blank(match.start(), match.end())


def _known(records: Collection[str]) -> str:
    """A pattern for the names of the records, as people may spell them; matches nothing where there are none."""
    longest_first = sorted(records, key=len, reverse=True)
    return "|".join(re.escape(name).replace(r"\-", r"[\s_-]+") for name in longest_first) or r"(?!)"


def _recorded(words: str, records: Collection[str]) -> str:
    """A name as the records have it: «gait weight» is gait-weight there."""
    joined = re.sub(r"[\s_-]+", "-", words)
    return joined if joined in records else words


def _is_parameter(name: str, schema: TaskSchema | None, records: Collection[str]) -> bool:
    called = names(schema) if schema is not None and name not in records else []
    return any(re.fullmatch(words, name) for words, _ in called)
