"""[planner] in wavebook.toml: who plans, and what a model may cost."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from wavebook_tools.records.plan import Document


def _safe_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise ValueError("an address with a password in it; the key is read from ANTHROPIC_API_KEY alone")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{address!r} is no address such as 'https://api.anthropic.com'")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise ValueError(f"{address!r} would send the key unencrypted; give an https address")
    return address


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class PriceSettings(Document):
    """What the model costs [US dollars per million tokens]."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float | None = Field(default=None, ge=0, description="A tenth of the input price where absent")
    cache_write: float | None = Field(default=None, ge=0, description="1.25 times the input price where absent")


class ClaudeSettings(Document):
    """How Claude is called, and what it may cost."""

    model: str = Field(default="claude-opus-5-5", min_length=1, max_length=200)
    base_url: Annotated[str, AfterValidator(_safe_address)] | None = Field(
        default=None, description="An endpoint that speaks the Messages API; ANTHROPIC_BASE_URL or Anthropic's own else"
    )
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = Field(
        default=None, description="How much the model thinks, where it has that choice; its own default where absent"
    )
    output_tokens: int = Field(default=16_000, ge=256, description="The most that one request may write")
    context_tokens: int = Field(
        default=120_000, ge=4_000, description="A conversation longer than this is summarised; long results are dropped"
    )
    requests: int = Field(default=40, ge=1, le=500, description="Requests of one answer, each with its tool calls")
    retries: int = Field(default=5, ge=0, le=20, description="How often an overloaded endpoint is asked again")
    answer_tokens: int = Field(default=2_000_000, ge=1000, description="Tokens that one answer may use, in and out")
    answer_usd: float = Field(default=3.0, gt=0, description="The most that one answer may cost [US dollars]")
    day_usd: float = Field(
        default=20.0, gt=0, description="The most that all answers of 24 hours may cost [US dollars]"
    )
    price: PriceSettings | None = Field(default=None, description="Of a model whose price is not known here")


class PlannerSettings(Document):
    """Who plans."""

    name: Literal["auto", "claude", "offline"] = Field(
        default="auto", description="'auto' is Claude where ANTHROPIC_API_KEY is set, else the offline planner"
    )
    claude: ClaudeSettings = Field(default_factory=ClaudeSettings)
