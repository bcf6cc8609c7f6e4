"""What Claude's answers cost: tokens counted as the endpoint reports them, priced, kept, and limited."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wavebook.agent.database import opened
from wavebook.agent.planner import RefusedError
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.planner_settings import ClaudeSettings
from wavebook_tools.records.project import Project

SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    model TEXT NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    usd REAL
);
CREATE INDEX IF NOT EXISTS usage_by_time ON usage (time);
"""

DAY = 24 * 3600.0


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    """Of the cache that lasts five minutes."""
    long_from: int | None = None
    """A request with more input tokens than this costs ``long_factor`` times as much."""
    long_factor: float = 1.0

    def usd(self, tokens: Tokens) -> float:
        """The cost of one request [US dollars]."""
        cost = (
            tokens.input * self.input
            + tokens.output * self.output
            + tokens.cache_read * self.cache_read
            + tokens.cache_write * self.cache_write
        ) / 1e6
        long = self.long_from is not None and tokens.read > self.long_from
        return cost * self.long_factor if long else cost


PRICES = {
    "claude-fable-5": Price(10, 50, 1, 12.5),
    "claude-opus-5-5": Price(4, 20, 0.2, 5),
    "claude-opus-5": Price(5, 25, 0.5, 6.25),
    "claude-opus-4": Price(5, 25, 0.5, 6.25),
    "claude-sonnet-5-5": Price(2, 10, 0.1, 2.5),
    "claude-sonnet-5": Price(2, 10, 0.2, 2.5),
    "claude-sonnet-4": Price(3, 15, 0.3, 3.75),
    "claude-haiku-5-5": Price(0.1, 0.5, 0.01, 0.125, long_from=100_000, long_factor=5),
    "claude-haiku-4-5": Price(1, 5, 0.1, 1.25),
}
"""By the beginning of a model's name, as published at platform.claude.com in October 2026."""


class Reported(Protocol):
    """Usage as the Messages API reports it."""

    @property
    def input_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cache_read_input_tokens(self) -> int | None: ...
    @property
    def cache_creation_input_tokens(self) -> int | None: ...


@dataclass(frozen=True)
class Tokens:
    """Tokens of a request, or of several."""

    input: int = 0
    """Read and not from the cache."""
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @classmethod
    def of(cls, usage: Reported) -> Tokens:
        """What an answer of the API reports."""
        return cls(
            usage.input_tokens or 0,
            usage.output_tokens,
            usage.cache_read_input_tokens or 0,
            usage.cache_creation_input_tokens or 0,
        )

    @property
    def read(self) -> int:
        """All input, cached or not."""
        return self.input + self.cache_read + self.cache_write

    @property
    def all(self) -> int:
        return self.read + self.output

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


def price_of(settings: ClaudeSettings) -> Price | None:
    """The price of the model in the settings; None where it is not known."""
    own = settings.price
    if own is not None:
        read = own.input / 10 if own.cache_read is None else own.cache_read
        return Price(own.input, own.output, read, own.input * 1.25 if own.cache_write is None else own.cache_write)
    names = [name for name in PRICES if settings.model == name or settings.model.startswith(f"{name}-")]
    return PRICES[max(names, key=len)] if names else None


class Meter:
    """Counts one answer, and with it the day."""

    def __init__(self, project: Project, settings: ClaudeSettings, *, clock: Callable[[], float] = time.time) -> None:
        self.project = project
        self.settings = settings
        self.price = price_of(settings)
        self.tokens = Tokens()
        self.usd = 0.0
        self._clock = clock

    def add(self, tokens: Tokens) -> None:
        """Count a request, and keep it."""
        usd = self.price.usd(tokens) if self.price else None
        self.tokens += tokens
        self.usd += usd or 0.0
        with opened(self.project, SCHEMA) as connection:
            connection.execute(
                "INSERT INTO usage (time, model, input, output, cache_read, cache_write, usd) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(self._clock(), self.settings.model, tokens.input, tokens.output),
                    *(tokens.cache_read, tokens.cache_write, usd),
                ),
            )

    def day_usd(self) -> float:
        """What the last 24 hours cost, this answer included [US dollars]."""
        if not self.project.database_path.exists():
            return 0.0
        with opened(self.project, SCHEMA) as connection:
            found = connection.execute("SELECT sum(usd) FROM usage WHERE time > ?", (self._clock() - DAY,)).fetchone()
            return float(found[0] or 0.0)

    def check(self) -> None:
        """Refuse a further request where a limit is reached.

        Raises:
            RefusedError: The day's money is spent; where that limit is set.
            WavebookError: Which limit of the answer is reached, and where it is set.
        """
        settings = self.settings
        if self.tokens.all >= settings.answer_tokens:
            raise WavebookError(
                f"this answer used {self.tokens.all} tokens and {settings.answer_tokens} are allowed "
                "(planner.claude.answer_tokens in wavebook.toml)"
            )
        if self.usd >= settings.answer_usd:
            raise WavebookError(
                f"this answer cost {self.usd:.2f} USD and {settings.answer_usd:.2f} USD are allowed "
                "(planner.claude.answer_usd in wavebook.toml)"
            )
        if (day := self.day_usd()) >= settings.day_usd:
            raise RefusedError(
                f"Claude cost {day:.2f} USD in the last 24 hours and {settings.day_usd:.2f} USD are allowed "
                "(planner.claude.day_usd in wavebook.toml)"
            )

    def summary(self) -> str:
        """The count for the person: tokens, money, and the day's money. Text between two $ would be a formula."""
        read, written = (f"{tokens:,}".replace(",", "\u202f") for tokens in (self.tokens.read, self.tokens.output))
        count = f"{read} tokens read, {written} written"
        if self.price is None:
            return f"{count}; the price of {self.settings.model} is not known (planner.claude.price)"
        return f"{count}, {self.usd:.3f} USD; {self.day_usd():.2f} of {self.settings.day_usd:.2f} USD today"
