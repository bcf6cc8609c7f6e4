"""The values that a directive gives to parameters: one, several, or a range to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from wavebook.agent.directive import Assignment
from wavebook.agent.reading.names import mentioned, names
from wavebook.agent.reading.text import Text
from wavebook.agent.reading.wishes import add_wish, wanted
from wavebook.agent.vocabulary import COUNTED, NUMBER, value
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.tasks import TaskSchema

MOST_VALUES = 32
"""The most values of a range."""


class Range(NamedTuple):
    """The ends of a range to look at."""

    parameter: str
    whole: bool
    """Whether it takes whole numbers."""
    low: float
    high: float


def full_names(text: Text, schema: TaskSchema) -> None:
    valued = rf"(?:\s*(?:=|:|to|at|of)?\s*({NUMBER}(?!\s*(?:{COUNTED})\b)(?![\d.])|true|false|null|none|\[[^\]]*\]))?"
    for match in text.take(rf"\b((?:env|agent)\.[\w.]*\w){valued}"):
        name, given = match[1], match[2]
        if name not in schema.parameters and f"{name}.weight" in schema.parameters:
            name = f"{name}.weight"
        if name not in schema.parameters:
            raise UsageError(
                f"{schema.task} has no parameter {match[1][:80]!r}.{did_you_mean(match[1], schema.parameters)}"
            )
        is_term = name in schema.parameters and schema.parameters[name].type == "term"
        if is_term and given not in {None, "null", "none"} and f"{name}.weight" in schema.parameters:
            name = f"{name}.weight"
        if given is None:
            add_wish(text, name, wanted(text, match.start(), match.end()))
        else:
            _assign(text, name, _literal(given))


def ranges(text: Text, schema: TaskSchema) -> list[Range]:
    found = []
    for words, name in mentioned(text, schema):
        kind = schema.parameters[name].type
        if kind in {"float", "int"}:
            pattern = rf"\b(?:{words})(?:\s+weights?)?\s+between\s+({NUMBER})\s+and\s+({NUMBER})(?![\d.]|e[-+\d])"
            for match in text.take(pattern):
                found.append(Range(name, kind == "int", float(match[1]), float(match[2])))
    return found


def spread(text: Text, between: Sequence[Range]) -> None:
    """Values over each range, evenly; by factors where its ends lie far apart."""
    read = text.found
    number = min(read.variations or (read.experiments or 4) - 1, MOST_VALUES)
    for name, whole, low, high in between:
        steps = [index / (number - 1) for index in range(number)] if number > 1 else [0.5]
        by_factors = low > 0 and high / low >= 10
        for step in steps:
            at = low * (high / low) ** step if by_factors else low + step * (high - low)
            _assign(text, name, round(at) if whole else float(f"{at:.3g}"))


def values(text: Text, schema: TaskSchema) -> None:
    between = r"\s*(?:coef\w*|weights?|values?)?\s*(?:=|:|of|to|at|is)?\s*"
    join = r"\s*(?:,\s*and|,\s*or|,|/|or|and|vs\.?|versus)\s*"
    numbers = rf"{NUMBER}(?:{join}{NUMBER})*"
    sizes = r"(?:\d+(?:\s*[x×]\s*\d+)+|\d+(?:\s*,\s*\d+)+|\[[\d,\s]+\])"
    for words, name in names(schema):
        parameter = schema.parameters[name]
        if parameter.type == "list":
            how = r"(?:\s+(?:deeper|wider|bigger|larger|smaller))?"
            for match in text.take(rf"\b(?:{words}){how}{between}({sizes}(?:{join}{sizes})*)"):
                for one in re.findall(sizes, match[1]):
                    _assign(text, name, [int(item) for item in re.findall(r"\d+", one)])
        elif parameter.type == "str":
            choices = "|".join(re.escape(str(choice)) for choice in parameter.choices or [])
            several = rf"(?:{choices})(?:{join}(?:{choices}))*"
            pattern = rf"\b(?:({several})\s+{words}|{words}{between}({several}))\b"
            for match in text.take(pattern) if choices else []:
                for choice in re.findall(rf"\b(?:{choices})\b", match[1] or match[2]):
                    _assign(text, name, choice)
        elif parameter.type in {"float", "int"}:
            after = rf"\b(?:{words}){between}[(\[]?\s*({numbers})(?!\s*(?:{COUNTED})\b)(?![\d.]|e[-+\d])"
            # «3e-4 and 1e-3 learning rates»; a whole number before a name may count something else.
            fraction = r"(?:\d*\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)"
            before = rf"(?<![\w.-])({fraction}(?:{join}{fraction}){{0,{MOST_VALUES - 1}}})\s+(?:{words})\b"
            named = re.search(rf"\b(?:{words})\b", text.rest) is not None
            for match in (*text.take(after), *text.take(before)) if named else ():
                for number in re.findall(NUMBER, match[1]):
                    _assign(text, name, value(number))
            if parameter.type == "int":  # «24 steps per env», «8 epochs»
                for match in text.take(rf"(?<![\w.-])(\d+)\s+(?:{words})\b"):
                    _assign(text, name, int(match[1]))


def _assign(text: Text, name: str, given: object) -> None:
    assignment = Assignment(name, given)
    if assignment not in text.found.assignments:
        text.found.assignments.append(assignment)
        text.note(f"try {name} = {given}")


def _literal(text: str) -> object:
    constants: dict[str, object] = {"true": True, "false": False, "null": None, "none": None}
    if text in constants:
        return constants[text]
    if text.startswith("["):
        items: Sequence[str] = [item.strip() for item in text[1:-1].split(",") if item.strip()]
        return [value(item) if re.fullmatch(NUMBER, item) else item.strip("'\"") for item in items]
    return value(text)
