"""The goals that a directive names, in the words of the topics, and those that are only to be no worse."""

from __future__ import annotations

from wavebook.agent.reading.text import Text
from wavebook.agent.topics import BY_KEY, TOPICS


def topics(text: Text) -> None:
    _stays(text)
    places = {}
    for topic in TOPICS:
        matches = text.take(topic.words)
        if matches:
            places[topic.key] = matches[0].start()
    # In the order in which the person named them.
    for key in sorted(places, key=lambda key: places[key]):
        text.found.topics.append(BY_KEY[key])
        text.note(_said(BY_KEY[key].goal))


def _stays(text: Text) -> None:
    """Goals that are only to be no worse: «keep tracking the same» asks for nothing better."""
    stay = r"(?:same|unchanged|fixed|up|good|(?:as\s+)?(?:good\s+)?as\s+(?:it\s+is|now|before|good))"
    for topic in TOPICS:
        words = topic.words.pattern
        kept = rf"\b(?:keep(?:ing)?|leav(?:e|ing))\s+(?:the\s+)?{words}\s+(?:the\s+|about\s+|just\s+)*{stay}\b"
        spared = rf"\bwithout\s+(?:hurting|losing|sacrificing|worse(?:ning)?)\s+(?:the\s+)?{words}"
        if text.take(f"(?:{kept}|{spared})"):
            text.note(f"{topic.key} is to stay as it is")


def _said(goal: str) -> str:
    return goal[:1].lower() + goal[1:]
