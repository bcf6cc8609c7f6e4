"""The names of a task's parameters, as people say them."""

from __future__ import annotations

import re

from wavebook.agent.reading.text import Text
from wavebook.agent.vocabulary import ALIASES
from wavebook_tools.tasks import TaskSchema


def names(schema: TaskSchema) -> list[tuple[str, str]]:
    """What people may call the task's parameters: (pattern, parameter), the longer names first."""
    spoken = [(words, name) for words, name in ALIASES if name in schema.parameters]
    for name, parameter in schema.parameters.items():
        term = name.rpartition(".")[2]
        if parameter.type != "term" or f"{name}.weight" not in schema.parameters:
            continue
        short = re.sub(r"_(l1|l2|exp)$", "", term)
        for form in dict.fromkeys([term, short]):
            if "_" in form:
                spoken.append((form.replace("_", r"[\s_-]+"), f"{name}.weight"))
    return sorted(spoken, key=lambda item: -len(item[0]))


def mentioned(text: Text, schema: TaskSchema) -> list[tuple[str, str]]:
    """Those of ``names`` that stand in the text: few, and long patterns take their time to compile."""
    return [(words, name) for words, name in names(schema) if re.search(rf"\b(?:{words})\b", text.rest)]
