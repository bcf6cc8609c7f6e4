"""The steps of reading a directive, in their order: each leaves to the next what it did not recognise."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches

from wavebook.agent.directive import Directive
from wavebook.agent.reading import intents, kept, references, sizes, values, wishes
from wavebook.agent.reading.devices import devices
from wavebook.agent.reading.goals import topics
from wavebook.agent.reading.task import task
from wavebook.agent.reading.text import Text
from wavebook.agent.vocabulary import CLOSE, FILLERS, IMPROVE, SPELLED, VERBS
from wavebook_tools.tasks import TaskSchema


def read_directive(
    text: str, tasks: Mapping[str, TaskSchema], default_task: str, records: Collection[str] = ()
) -> Directive:
    """Read a directive.

    Args:
        text: What the person wrote.
        tasks: The tasks there are.
        default_task: The one meant where none is named.
        records: Numbers and names of the experiments there are.

    Raises:
        UsageError: It names a parameter by its full name that the task does not have.
    """
    read = _read(text, tasks, default_task, records)
    schema = tasks.get(read.task or default_task)
    parameters = schema.parameters.items() if schema is not None else ()
    terms = [name.rpartition(".")[2] for name, parameter in parameters if parameter.type == "term"]
    close = {word: get_close_matches(word, [*SPELLED, *terms], 1, CLOSE) for word in read.unknown if len(word) > 4}
    meant = {word: found[0] for word, found in close.items() if found}
    if not meant or read.intent not in {"plan", "reproduce", "compare", "combine"}:
        return read
    # A second reading with the words that may have been meant; it counts where more is understood.
    spelled = text
    for word, near in meant.items():
        spelled = re.sub(rf"(?i)(?<![\w-]){re.escape(word)}(?![\w-])", near, spelled)
    again = _read(spelled, tasks, default_task, records)
    if len(again.unknown) > len(read.unknown) - len(meant):
        return read
    corrected = ", ".join(f"«{word}» as {near}" for word, near in meant.items())
    return replace(again, text=text, notes=[f"read {corrected}", *again.notes])


def _read(written: str, tasks: Mapping[str, TaskSchema], default_task: str, records: Collection[str]) -> Directive:
    text = Text(written)
    found = text.found
    if intents.failure(text) or intents.question(text):
        return found
    sizes.corrected(text)
    references.as_before(text)
    references.by_name(text, tasks.get(default_task), records)
    references.reproduction(text, records)
    task(text, tasks, default_task)
    schema = tasks.get(found.task or default_task)
    ranges: list[values.Range] = []
    if schema is not None:
        kept.forbidden(text, schema)
        kept.only(text, schema)
        values.full_names(text, schema)
        wishes.scaled(text, schema)
        ranges = values.ranges(text, schema)
        values.values(text, schema)
    sizes.numbers(text)
    devices(text)
    if schema is not None:
        kept.kept(text, schema)
        wishes.named(text, schema)
    topics(text)
    values.spread(text, ranges)
    found.wants_improvement = bool(text.take(IMPROVE))
    text.take(VERBS)
    found.unknown = _unknown(text)
    return found


def _unknown(text: Text) -> list[str]:
    """What nothing was made of, each once."""
    left = (word.strip("'") for word in re.findall(r"[^\W_][\w'./-]*", text.rest))  # of any script
    words = (word.rstrip("./") for word in left)
    unknown = [*text.refused, *(word for word in words if word and word not in FILLERS)]
    return list(dict.fromkeys(unknown))
