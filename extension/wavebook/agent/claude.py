"""The planner that asks Claude: it reads with tools, answers in words, and proposes waves."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wavebook.agent.claude_history import (
    FOOTNOTE,
    KEPT,
    SUMMARISE,
    Summaries,
    Turn,
    conversation,
    to_summarise,
)
from wavebook.agent.claude_prompt import PROMPT
from wavebook.agent.claude_stream import Again, Delta, Event, Whole, describe_model, open_client, stream
from wavebook.agent.claude_usage import Meter, Tokens
from wavebook.agent.planner import Part, Proposal, Request, TextDelta, ToolCall, ToolResult
from wavebook.agent.situation import situation
from wavebook.agent.tools.call import Answer, call
from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.tool import Workspace
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.planner_settings import ClaudeSettings
from wavebook_tools.records.project import Project
from wavebook_tools.records.redaction import redact_document
from wavebook_tools.tasks import TaskSchema, load_tasks

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message, ModelInfo, ToolUseBlock

DROPPED = "(This result was dropped to save space; call the tool again where it is needed.)"

SHOWN = 4_000
"""Characters of a tool's result that go to the conversation; the model reads more."""

KEPT_RESULTS = 4
"""So many messages with tool results at the end keep them when space is short."""


class ClaudePlanner:
    """Plans with Claude, through the Messages API of Anthropic or an endpoint that speaks it."""

    def __init__(
        self, project: Project, settings: ClaudeSettings, *, tasks: Mapping[str, TaskSchema] | None = None
    ) -> None:
        self.project = project
        self.settings = settings
        self._tasks = tasks
        self._described: ModelInfo | None = None
        self._asked = False

    @property
    def name(self) -> str:
        """The model's name."""
        return self.settings.model

    @property
    def label(self) -> str:
        """The model, and the endpoint where it is not Anthropic's own."""
        address = self.settings.base_url or os.environ.get("ANTHROPIC_BASE_URL")
        host = urlsplit(address).hostname if address else None
        return f"Claude ({self.settings.model}{f' at {host}' if host else ''})"

    async def answer(self, request: Request) -> AsyncIterator[Part]:
        """The answer as it comes: text, the tools that are used, at most one proposal, and last what it cost."""
        meter = Meter(self.project, self.settings)
        told: list[str] = []
        await asyncio.to_thread(meter.check)
        async with await asyncio.to_thread(open_client, self.settings) as client:
            try:
                async for part in self._answer(client, meter, request, told):
                    yield part
            except WavebookError:
                if meter.tokens.all:  # what was used was paid
                    yield _footnote(meter, told)
                raise
            yield _footnote(meter, told)

    async def _answer(
        self, client: AsyncAnthropic, meter: Meter, request: Request, told: list[str]
    ) -> AsyncGenerator[Part]:
        if not self._asked:
            self._described = await describe_model(client, self.settings.model)
            self._asked = True
        proposals: list[WavePlan] = []
        workspace = self._workspace(proposals, request.body)
        messages = await self._messages(client, meter, request, workspace, told)
        spoken = False
        for _ in range(self.settings.requests):
            apart = spoken  # what follows a tool is a paragraph of its own
            await asyncio.to_thread(meter.check)
            message: Message | None = None
            async for event in self._request(client, self._parameters(messages)):
                if isinstance(event, Whole):
                    message = event.message
                else:
                    yield TextDelta(("\n\n" if apart else "") + _text(event))
                    apart, spoken = False, True
            assert message is not None
            await asyncio.to_thread(meter.add, Tokens.of(message.usage))
            messages.append({"role": "assistant", "content": _content(message)})
            if message.stop_reason == "tool_use":
                results: dict[str, Answer] = {}
                async for part in self._use(workspace, message, results):
                    yield part
                while proposals:
                    yield Proposal(proposals.pop(), tuple(dict.fromkeys(workspace.foreign)))
                messages.append(_results(message, results))
                if Tokens.of(message.usage).read > self.settings.context_tokens:
                    _drop_results(messages)
            elif message.stop_reason == "pause_turn":
                continue
            elif message.stop_reason == "max_tokens":
                yield TextDelta("\n\n(The answer was cut: planner.claude.output_tokens is reached. Say «go on».)")
                return
            elif message.stop_reason == "refusal":
                raise WavebookError("the model declined to answer this; put it differently")
            elif message.stop_reason == "model_context_window_exceeded":
                if not _drop_results(messages):
                    raise WavebookError("the conversation is too long for the model; begin a new one")
                messages.pop()
            else:
                return
        yield TextDelta(
            f"\n\n(I stopped after {self.settings.requests} requests, planner.claude.requests. Say «go on».)"
        )

    def _workspace(self, proposals: list[WavePlan], directive: str) -> Workspace:
        made: list[int] = []

        def propose(plan: WavePlan) -> str:
            if made:
                raise UsageError(
                    f"wave {made[0]} is proposed in this answer already; the person decides about it first"
                )
            made.append(plan.id)
            proposals.append(plan.model_copy(update={"directive": plan.directive or directive}))
            return (
                f"wave {plan.id} with {plan.run_count} runs is before the person now. It has not run; "
                "end your answer with what it will tell"
            )

        return Workspace(self.project, self.name, self._tasks or load_tasks(), propose)

    async def _messages(
        self, client: AsyncAnthropic, meter: Meter, request: Request, workspace: Workspace, told: list[str]
    ) -> list[Turn]:
        """The conversation; where it is long, its beginning as a summary. One that is made now is told."""
        standing = await asyncio.to_thread(lambda: situation(self.project, workspace.approvals.list()))
        summaries = Summaries(self.project)
        text, after = await asyncio.to_thread(summaries.newest, request.history)
        old = to_summarise(request.history, after, self.settings.context_tokens / 2)
        if old:
            asked = conversation(Request(SUMMARISE, old), standing, text, after)
            async for event in self._request(client, {**self._parameters(asked), "tool_choice": {"type": "none"}}):
                if isinstance(event, Whole):
                    await asyncio.to_thread(meter.add, Tokens.of(event.message.usage))
                    said = "".join(block.text for block in event.message.content if block.type == "text")
                    if not said.strip() or event.message.stop_reason == "refusal":
                        continue  # all that was said would be lost: it stays as it is, and the next answer tries again
                    text, after = said, old[-1].id
                    await asyncio.to_thread(summaries.keep, after, text)
                    told.append(f"of this long conversation I now have a summary and its last {KEPT} messages")
        return conversation(request, standing, text, after)

    def _request(self, client: AsyncAnthropic, parameters: dict[str, Any]) -> AsyncGenerator[Event]:
        return stream(client, self.settings.retries, parameters)

    def _parameters(self, messages: list[Turn]) -> dict[str, Any]:
        described, settings = self._described, self.settings
        most = described.max_tokens if described is not None and described.max_tokens else settings.output_tokens
        parameters: dict[str, Any] = {
            "model": settings.model,
            "max_tokens": min(most, settings.output_tokens),
            # Tools come before the system prompt: one mark caches both, the other the conversation up to here.
            "system": [{"type": "text", "text": PROMPT, "cache_control": {"type": "ephemeral"}}],
            "tools": [
                {"name": tool.name, "description": tool.description, "input_schema": tool.schema()}
                for tool in TOOLS.values()
            ],
            "messages": _cached(messages),
        }
        can = described.capabilities if described is not None else None
        if can is not None and can.thinking.supported:
            if can.thinking.types.adaptive.supported:
                parameters["thinking"] = {"type": "adaptive"}
            elif can.thinking.types.enabled.supported and parameters["max_tokens"] > 2048:
                parameters["thinking"] = {"type": "enabled", "budget_tokens": parameters["max_tokens"] // 2}
        if settings.effort is not None and (can is None or can.effort.supported):
            parameters["output_config"] = {"effort": settings.effort}
        return parameters

    async def _use(self, workspace: Workspace, message: Message, results: dict[str, Answer]) -> AsyncGenerator[Part]:
        """Call all tools of a message at once; each result is told when it is there."""
        uses = [block for block in message.content if block.type == "tool_use"]
        for use in uses:
            yield ToolCall(use.id, use.name, redact_document(_arguments(use)))

        async def one(use: ToolUseBlock) -> tuple[str, Answer]:
            return use.id, await call(TOOLS, workspace, use.name, use.input)

        tasks = [asyncio.create_task(one(use)) for use in uses]
        try:
            for finished in asyncio.as_completed(tasks):
                use_id, answer = await finished
                results[use_id] = answer
                yield ToolResult(use_id, _shortened(answer.text), answer.failed)
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)


def _footnote(meter: Meter, told: Sequence[str]) -> TextDelta:
    """What an answer cost, and what else the person is to know of how it was made."""
    return TextDelta(f"{FOOTNOTE}{'; '.join([meter.summary(), *told])}*")


def _text(event: Delta | Again) -> str:
    return event.text if isinstance(event, Delta) else f"\n\n*({event.reason}; once more:)*\n\n"


def _arguments(use: ToolUseBlock) -> dict[str, Any]:
    return use.input if isinstance(use.input, dict) else {"arguments": use.input}


def _content(message: Message) -> list[Any]:
    """A message's blocks as they go back to the API: what it thought must return unchanged."""
    blocks: list[Any] = []
    for block in message.content:
        if block.type == "text":
            if block.text.strip():
                blocks.append({"type": "text", "text": block.text})
        elif block.type == "tool_use":
            blocks.append({"type": "tool_use", "id": block.id, "name": block.name, "input": _arguments(block)})
        elif block.type == "thinking":
            blocks.append({"type": "thinking", "thinking": block.thinking, "signature": block.signature})
        elif block.type == "redacted_thinking":
            blocks.append({"type": "redacted_thinking", "data": block.data})
    return blocks or [{"type": "text", "text": "(nothing)"}]


def _results(message: Message, results: Mapping[str, Answer]) -> Turn:
    """The results in the order of the calls."""
    return {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": block.id,
                "content": results[block.id].text,
                "is_error": results[block.id].failed,
            }
            for block in message.content
            if block.type == "tool_use"
        ],
    }


def _cached(messages: list[Turn]) -> list[Turn]:
    """The messages with a mark at the end, up to which the next request finds them in the cache."""
    *before, last = messages
    *blocks, block = last["content"]
    return [*before, {**last, "content": [*blocks, {**block, "cache_control": {"type": "ephemeral"}}]}]


def _drop_results(messages: list[Turn]) -> bool:
    """Take the texts out of old tool results; whether there were any."""
    with_results = [
        message for message in messages if any(block["type"] == "tool_result" for block in message["content"])
    ]
    dropped = False
    for message in with_results[:-KEPT_RESULTS]:
        for block in message["content"]:
            if block["type"] == "tool_result" and block["content"] != DROPPED:
                block["content"] = DROPPED
                dropped = True
    return dropped


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}\n… {len(text) - SHOWN} more characters"
