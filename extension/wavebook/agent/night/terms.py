"""What a person grants for a night: a directive and limits, as options of the command line and of ``/night``."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wavebook.agent.manners import PREDICTABLE
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.metrics.quantities import counted, quantity
from wavebook_tools.records.files import first_problem
from wavebook_tools.records.night_settings import NightSettings


class Goal(BaseModel):
    """A number of the fixed evaluation, and the value at which the night has done its work."""

    model_config = ConfigDict(frozen=True)

    metric: str
    value: float

    @property
    def lower(self) -> bool:
        """Whether smaller is better."""
        return quantity(self.metric).better == "down"

    @property
    def text(self) -> str:
        """As ``error_vel_xy below 0.1 m/s``."""
        unit = quantity(self.metric).unit
        return f"{self.metric} {'below' if self.lower else 'above'} {self.value:g}{f' {unit}' if unit != '–' else ''}"


class Terms(NightSettings):
    """The grant of one night."""

    directive: str = Field(min_length=1, max_length=10_000)
    until: Goal | None = None

    @property
    def text(self) -> str:
        """The limits in words."""
        parts = [
            f"{counted(self.waves, 'wave')} of up to {counted(self.runs, 'run')}",
            f"{self.gpu_hours:.3g} GPU hours (hours on the device where there is no GPU)",
            f"{self.hours:.3g} hours",
        ]
        return ", ".join(parts) + (f", or until {self.until.text}" if self.until else "")


OPTIONS = (
    click.Option(["--waves"], type=int, help="At most so many waves."),
    click.Option(["--runs"], type=int, help="At most so many runs a wave."),
    click.Option(["--gpu-hours"], type=float, help="Over all runs; hours on the device where there is no GPU."),
    click.Option(["--hours"], type=float, help="From now on, pauses counted in."),
    click.Option(["--until"], metavar="METRIC=NUMBER", help="Stop where this is reached, noise considered."),
    click.Option(["--patience"], type=int, help="Stop after so many waves without an improvement."),
    click.Option(["--end-hopeless/--keep-hopeless"], default=None, help="Whether hopeless runs are ended early."),
)
"""Of ``wavebook night`` and of ``/night``; what is not said comes from wavebook.toml, section night."""


def make_terms(directive: str, settings: NightSettings, given: dict[str, Any]) -> Terms:
    """The terms of a night.

    Args:
        directive: What to work on.
        settings: Limits that hold where nothing else is said.
        given: Limits by name, None for those that were not given; ``until`` as ``METRIC=NUMBER``.

    Raises:
        UsageError: A limit is out of range or the goal cannot be measured; the message names it.
    """
    values = {**settings.model_dump(), **{name: value for name, value in given.items() if value is not None}}
    if isinstance(values.get("until"), str):
        values["until"] = read_goal(values["until"])
    try:
        return Terms(directive=directive.strip(), **values)
    except ValidationError as error:
        raise UsageError(f"this cannot be granted: {first_problem(error)}") from error


def read_goal(text: str) -> Goal:
    """A goal as it is typed, ``error_vel_xy=0.10``.

    Raises:
        UsageError: It is none, or names what the fixed evaluation does not measure.
    """
    found = re.fullmatch(r"\s*(\w+)\s*[=<>]\s*([-+]?\d*\.?\d+(?:e[-+]?\d+)?)\s*", text)
    if found is None:
        raise UsageError(f"{text[:60]!r} is no goal; write METRIC=NUMBER, as error_vel_xy=0.10")
    if found[1] not in PREDICTABLE:
        raise UsageError(
            f"{found[1]!r} is not measured by the fixed evaluation.{did_you_mean(found[1], PREDICTABLE)} "
            f"Goals: {', '.join(sorted(PREDICTABLE))}"
        )
    return Goal(metric=found[1], value=float(found[2]))


def typed_terms(text: str, settings: NightSettings) -> Terms:
    """The terms of ``/night TEXT``: a directive and the options of ``wavebook night``, in any order.

    Raises:
        UsageError: An option is unknown or wrong, or there is no directive.
    """
    command = click.Command("/night", params=[*OPTIONS, click.Argument(["words"], nargs=-1)])
    try:
        # Quotes are the person's own here: an apostrophe in a directive opens no string.
        words = shlex.split(text) if text.count('"') % 2 == 0 and "'" not in text else text.split()
        given = dict(command.make_context("/night", words, resilient_parsing=False).params)
    except click.ClickException as error:
        raise UsageError(f"/night: {error.format_message()}") from error
    directive = " ".join(given.pop("words"))
    if not directive:
        raise UsageError("/night needs a directive: /night track velocity better --waves 3 --runs 6 --hours 8")
    return make_terms(directive, settings, given)
