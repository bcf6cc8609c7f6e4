"""The devices that a directive wants a wave on, and those that it spares."""

from __future__ import annotations

import re

from wavebook.agent.reading.text import Text

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3}
"""GPUs as people count them, and their indices."""


def devices(text: Text) -> None:
    chosen: list[str] = []
    verbs = r"(?:use|run(?:\s+\w+)?\s+on|touch|take)"
    never = (
        rf"\b(?:without(?:\s+using)?|no|not\s+(?:on|{verbs}|using)|(?:do\s+not|don't|dont|never)\s+{verbs}"
        r"|avoid(?:ing)?|except(?:\s+for)?)"
    )
    listed = r"\d+(?:\s*(?:,|and|or|,\s*and)\s*\d+)*"
    spared: list[str] = []
    for match in text.take(rf"{never}\s+(?:the\s+|a\s+|any\s+)?gpus?\b(?:\s*({listed})\b)?"):
        if match[1]:
            spared += re.findall(r"\d+", match[1])
        else:
            chosen = ["cpu"]
    if spared:
        text.found.spared = list(dict.fromkeys(spared))
        text.note(f"not on GPU {', '.join(text.found.spared)}")
    for match in text.take(rf"\b(?:{'|'.join(ORDINALS)})\s+(?:gpu|card)\b"):
        chosen.append(str(ORDINALS[match[0].split()[0]]))
    for match in text.take(rf"\b(?:gpus?|cuda)\s*[:#]?\s*({listed})\b"):
        chosen += re.findall(r"\d+", match[1])
    if text.take(r"\b(?:on\s+)?(?:the\s+|a\s+)?cpu\b"):
        chosen = chosen or ["cpu"]
    text.take(r"\b(?:on\s+)?(?:the\s+|a\s+|any\s+|all\s+)?gpus?\b")  # any GPU is what «auto» means
    if chosen:
        text.found.devices = list(dict.fromkeys(chosen))
        text.note("on the CPU" if chosen == ["cpu"] else f"on GPU {', '.join(chosen)}")
