"""One request to the Messages API: streamed, asked again when the endpoint is overloaded or the connection breaks."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wavebook.agent.planner import RefusedError
from wavebook_tools.errors import WavebookError, did_you_mean
from wavebook_tools.records.planner_settings import ClaudeSettings

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message, ModelInfo

KEY = "ANTHROPIC_API_KEY"

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Pauses between attempts double from the first to the longest [s], with jitter."""

SILENCE = 180.0
"""How long an endpoint may send nothing before the request counts as lost [s]. One that works sends signs of life;
one that reads a long conversation on a machine of its own may need a while for the first."""

DESCRIBING = 20.0
"""The same of what a model can do, without which an answer does as well [s]."""

TRANSIENT = frozenset({"overloaded_error", "api_error", "rate_limit_error", "timeout_error"})
"""Errors in the middle of a stream after which the request is worth another attempt."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delta:
    """Text as it comes."""

    text: str


@dataclass(frozen=True)
class Again:
    """The stream broke and begins anew; text that came before is said again."""

    reason: str


@dataclass(frozen=True)
class Whole:
    """The message is complete."""

    message: Message


Event = Delta | Again | Whole


def open_client(settings: ClaudeSettings) -> AsyncAnthropic:
    """A client for the endpoint of the settings, with the key of the environment and no other credential.

    Raises:
        RefusedError: There is no key.
    """
    from anthropic import AsyncAnthropic, Timeout  # slow to import, and only needed with a key

    key = os.environ.get(KEY, "").strip()
    if not key:
        raise RefusedError(f"{KEY} is not set; set it where JupyterLab is started, or use the offline planner")
    silence = Timeout(SILENCE, connect=min(SILENCE, 10.0))
    return AsyncAnthropic(api_key=key, base_url=settings.base_url, max_retries=settings.retries, timeout=silence)


async def describe_model(client: AsyncAnthropic, model: str) -> ModelInfo | None:
    """What the endpoint says that a model can do; None where it does not say.

    Raises:
        RefusedError: The key is refused, or there is no such model; the message names the nearest.
    """
    import anthropic

    try:
        return await client.with_options(max_retries=1, timeout=DESCRIBING).models.retrieve(model)
    except anthropic.AuthenticationError as error:
        raise told(error, client, model) from error
    except anthropic.NotFoundError:
        try:
            known = [found.id async for found in client.with_options(max_retries=1).models.list(limit=100)]
        except anthropic.AnthropicError:
            return None  # the endpoint has no list of models
        if model in known or not known:
            return None
        raise RefusedError(
            f"there is no model {model!r} at {client.base_url.host}.{did_you_mean(model, known)} "
            "Name one in wavebook.toml (planner.claude.model)"
        ) from None
    except anthropic.AnthropicError:
        return None


class BrokenStreamError(Exception):
    """The stream ended before the message did."""


async def stream(client: AsyncAnthropic, retries: int, parameters: dict[str, Any]) -> AsyncGenerator[Event]:
    """The events of one request.

    The client itself asks again where no stream came about; one that breaks is begun anew here.

    Raises:
        RefusedError: The endpoint refuses the key, the model or the request; the message says what to do.
        WavebookError: It failed too often; the message says what to do.
    """
    import anthropic
    import httpx2

    for attempt in range(retries + 1):
        opened = said = False
        message: Message | None = None
        try:
            async with client.messages.stream(**parameters) as events:
                opened = True
                async for event in events:
                    if event.type == "text":
                        said = True
                        yield Delta(event.text)
                    elif event.type == "message_stop":
                        message = event.message
            if message is None or message.stop_reason is None:
                raise BrokenStreamError("the stream ended before the message did")
            yield Whole(message)
            return
        # RuntimeError: events in an order that makes no sense; ValueError: arguments of a tool that are no JSON.
        except (anthropic.AnthropicError, httpx2.TransportError, BrokenStreamError, RuntimeError, ValueError) as error:
            if not opened or attempt == retries or not _transient(error):
                raise told(error, client, parameters["model"]) from error
            log.info("the answer broke off (%s); asking again", type(error).__name__)
            reason = getattr(error, "type", None) or "the connection broke"
        await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.75, 1.0))
        if said:
            yield Again(str(reason))


def _transient(error: Exception) -> bool:
    import anthropic

    return not isinstance(error, anthropic.APIStatusError) or error.type in TRANSIENT


def told(error: Exception, client: AsyncAnthropic, model: str) -> WavebookError:
    """An error of the API as a person should read it."""
    import anthropic

    host = client.base_url.host
    if isinstance(error, anthropic.AuthenticationError | anthropic.PermissionDeniedError):
        return RefusedError(f"{host} refused the key in {KEY}: {_message(error)}")
    if isinstance(error, anthropic.NotFoundError):
        return RefusedError(f"{host} does not know the model {model!r} (planner.claude.model in wavebook.toml)")
    if isinstance(error, anthropic.RateLimitError):
        return WavebookError(f"{host} allows no more requests for now (429): {_message(error)}. Try again later")
    if isinstance(error, anthropic.APIStatusError) and (error.status_code >= 500 or error.type == "overloaded_error"):
        return WavebookError(f"{host} is overloaded or broken ({error.type or error.status_code}); try again later")
    if isinstance(error, anthropic.APIStatusError):
        passing = error.status_code in {408, 409}  # a timeout, a conflict
        kind = WavebookError if passing else RefusedError
        return kind(f"{host} refused the request ({error.status_code}): {_message(error)}")
    if isinstance(error, anthropic.APITimeoutError):
        return WavebookError(f"{host} was silent for {SILENCE:g} s, {client.max_retries + 1} times; try again later")
    if isinstance(error, anthropic.APIConnectionError):
        return WavebookError(f"no answer from {host}: {error.__cause__ or error}. Check the network and the base URL")
    return WavebookError(f"the answer of {host} could not be read: {error}")


def _message(error: Exception) -> str:
    return str(getattr(error, "api_message", None) or error)[:500].rstrip(".")
