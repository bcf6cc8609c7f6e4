"""How large a wave is to be: numbers of experiments, seeds, iterations and robots, and the time they may take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wavebook.agent.reading.text import Text
from wavebook.agent.vocabulary import COUNT, COUNTED, DURATION, NUMBER, SECONDS, UNITS, count
from wavebook_tools.records.plan import MOST_SEEDS


def corrected(text: Text) -> None:
    """«3 seeds, no wait, 5»: the second number stands for the first, unless they count different things."""
    sorry = r"(?:no,?\s+wait|wait,?\s+no|no,?\s+sorry|sorry|i\s+meant?|correction|no,)"
    number, counted = rf"(?<![\w.-])(?:{NUMBER}|{COUNT})(?![\w.-])", rf"(?:\s+({COUNTED})\b)?"
    it = r"(?:make\s+(?:it|that)\s+)?"
    pattern = re.compile(rf"{number}{counted}\s*[,;.–—-]*\s+{sorry},?\s+{it}({number}){counted}")
    place = 0
    while match := pattern.search(text.rest, place):
        first, second, what = match.groups()
        place = match.start(2)
        if first is None or what is None or what.rstrip("s") == first.rstrip("s"):
            meant = " ".join(filter(None, (second, what or first)))
            text.rest = f"{text.rest[: match.start()]}{meant}{text.rest[match.end() :]}"
            place = match.start()


def numbers(text: Text) -> None:
    found = text.found
    many = rf"(?<![-.\d])\b({COUNT})"  # minus five are none
    ranged = rf"\b(?:{COUNT})\s*(?:-|to|or)\s*({COUNT})"
    if text.take(r"\b(?:(?:just|only)\s+(?:a\s+|the\s+)?baseline|baseline\s+only)\b"):
        text.take(r"\bno\s+(?:other\s+)?(?:experiments?|variations?)\b")
        found.baseline_only, found.experiments = True, 1
    found.nothing_else |= bool(text.take(r"\b(?:and\s+)?nothing\s+(?:else|more)\b"))
    for pattern in (ranged, many):
        for number in _counts(text, rf"{pattern}\s+(?:\w+\s+)?(?:experiments?|exps?)\b"):
            found.experiments = number
        for number in _counts(text, rf"{pattern}\s+(?:\w+\s+)?(?:variations?|variants?|hypothes[ei]s|ideas?)\b"):
            found.variations = number
    seed = rf"\d+(?!\d|\.\d|\s*(?:{COUNTED}|gpu\w*|[hms])\b)"  # «seeds 3 and 4, 20 minutes» are two
    for match in text.take(r"\bseeds?\s+(\d+)\s*(?:-|–|to)\s*(\d+)\b"):
        first, last = int(match[1]), int(match[2])
        found.seed_list = list(range(first, min(last, first + MOST_SEEDS - 1) + 1)) or None
    for match in text.take(rf"\b(?:seeds?\s+({seed}(?:\s*(?:,|and|,\s*and)\s*{seed})+)|seed\s*[=:#]?\s*({seed}))"):
        found.seed_list = list(dict.fromkeys(int(number) for number in re.findall(r"\d+", match[1] or match[2])))
    for number in _counts(text, rf"{many}\s+(?:\w+\s+)?(?:seeds?|repeats?|replicates?|times)\b(?:\s+each)?"):
        found.seeds = number
    for number in _counts(text, rf"{many}\s*(?:(?:\w+\s+)?(?:iterations?|iters?|updates?)|its)\b"):
        found.iterations = number
    for number in _counts(text, rf"{many}\s+(?:parallel\s+|simulated\s+)?(?:robots?|envs?|environments?)\b"):
        found.num_envs = number
    limit = r"(?:at\s+most|up\s+to|no\s+more\s+than|max(?:imum)?(?:\s+of)?|within|in|under|less\s+than)\s+"
    most = rf"\b(?:{limit})?"
    for number in _counts(text, rf"{most}({COUNT})\s+runs?\b"):
        found.runs = number
    for match in text.take(rf"{most}({COUNT})\s*gpu[\s-]*h(?:ours?)?\b"):
        found.gpu_hours = count(match[1])
    for match in (*text.take(rf"{most}{DURATION}"), *text.take(rf"\b{limit}{SECONDS}")):
        parts = match.groupdict()
        amount = count(parts["amount"]) if parts["amount"] else 0.5 if parts["half"] else 1.0
        if amount:
            found.seconds = amount * UNITS[parts["unit"][0]]
        else:
            text.refused.append(match[0])
    if text.take(r"\b(?:overnight|over\s+night)\b"):
        found.seconds = 10 * 3600.0
    for said, given in (
        ("{} experiments", None if found.baseline_only else found.experiments),
        ("{} variations", found.variations),
        ("{} seeds each", found.seeds),
        ("{} iterations", found.iterations),
        ("{} robots", found.num_envs),
        ("at most {} runs", found.runs),
        ("at most {} GPU hours", found.gpu_hours),
    ):
        if given is not None:
            words = said.format(f"{given:g}")
            text.note(re.sub(r"s( each)?$", r"\1", words) if given == 1 else words)
    if found.baseline_only:
        text.note("the baseline alone")
    if found.nothing_else:
        text.note("nothing else")
    if found.seed_list:
        text.note(f"seeds {', '.join(map(str, found.seed_list))}")
    if found.seconds is not None:
        text.note(f"within {found.seconds / 60:g} minutes")


def _counts(text: Text, pattern: str) -> Iterator[int]:
    """Counts that a pattern finds, taken out of the text. A count of nothing stays there, as not understood."""
    for match in list(re.finditer(pattern, text.rest)):
        number = int(count(match[1]))
        if number >= 1:
            text.blank(match.start(), match.end())
            yield number
