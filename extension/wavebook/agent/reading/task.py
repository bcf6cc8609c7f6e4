"""The task that a directive names."""

from __future__ import annotations

import re
from collections.abc import Collection

from wavebook.agent.reading.text import Text


def task(text: Text, tasks: Collection[str], default_task: str) -> None:
    for name in tasks:
        if text.take(rf"\b{re.escape(name.lower())}\b"):
            text.found.task = name
    kinds = {"flat": r"flat|even|level|plane", "rough": r"rough|uneven|bumpy|off-?road"}
    for kind, words in kinds.items():
        ground = r"(?:\s+(?:ground|terrains?|surfaces?|plane|floor|one))?"
        place = rf"\b(?:on|over|across|for|in)\s+(?:the\s+|a\s+)?(?:{words}){ground}\b"
        fitting = [name for name in _of_model(text, tasks) if kind in name.lower()]
        if text.found.task is None and fitting and text.take(place):
            text.found.task = fitting[0]
    if text.found.task is None and _wants_him(text) and "-HIM-" not in default_task:
        rough = "rough" in default_task.lower()
        text.found.task = next((name for name in _of_model(text, tasks) if ("rough" in name.lower()) == rough), None)
    if text.found.task is not None:
        text.note(f"task {text.found.task}")


def _wants_him(text: Text) -> bool:
    """Whether the internal model is named; in small letters «him» is a word like others."""
    return bool(re.search(r"\b(?i:with|use|using|try|train)\s+(?:the\s+)?HIM\b", text.found.text))


def _of_model(text: Text, tasks: Collection[str]) -> list[str]:
    """Tasks with the internal model where that is named, else all."""
    with_model = [name for name in tasks if "-HIM-" in name]
    return with_model if with_model and _wants_him(text) else list(tasks)
