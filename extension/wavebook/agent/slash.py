"""Slash commands: what a person types to get one known thing done, without a planner's reading of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from wavebook.agent import replies
from wavebook.agent.approvals import Approvals
from wavebook.agent.night import process
from wavebook.agent.night.grant import Nights
from wavebook.agent.night.summary import summary
from wavebook.agent.night.terms import typed_terms
from wavebook.agent.standing import StandingBudgets
from wavebook.agent.tools.compare_waves import CompareWaves
from wavebook.agent.tools.compare_waves import run as compare
from wavebook.agent.tools.tool import Workspace
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.project import Project

USAGE = {
    "plan": "/plan DIRECTIVE",
    "run": "/run WAVE",
    "status": "/status",
    "compare": "/compare WAVE…",
    "diagnose": "/diagnose RUN",
    "budget": "/budget [RUNS HOURS | off]",
    "night": "/night [DIRECTIVE --waves N --runs N --gpu-hours H --hours H --until METRIC=NUMBER | status | stop]",
}
"""The commands and how each is written; the browser completes the same (extension/src/slash.ts)."""


@dataclass(frozen=True)
class Command:
    """One command as it was typed."""

    name: str
    argument: str

    @property
    def plans(self) -> bool:
        """Whether a planner answers it."""
        return self.name == "plan"

    @property
    def directive(self) -> str:
        """What the planner is to read."""
        return self.argument


def command_of(body: str) -> Command | None:
    """The command that a message is, or None where it is plain text.

    Raises:
        UsageError: It begins like a command and is none, or ``/plan`` says nothing.
    """
    found = re.match(r"/([A-Za-z]\w*)(?:\s+(.*))?$", body, re.DOTALL)
    if found is None:
        return None
    name, argument = found[1], (found[2] or "").strip()
    if name not in USAGE:
        raise UsageError(f"/{name} is no command.{did_you_mean(name, USAGE)} Commands: {', '.join(USAGE.values())}")
    if name == "plan" and not argument:
        raise UsageError(f"/plan needs a directive: {USAGE['plan']}")
    return Command(name, argument)


def follow(command: Command, approvals: Approvals, by: str) -> str:
    """Do what a command says and answer in markdown.

    Args:
        command: Any but ``/plan``.
        approvals: The project's.
        by: The person as the server knows them.

    Raises:
        WavebookError: It cannot be done; the message says why.
    """
    return _COMMANDS[command.name](command.argument, approvals, by)


def _status(_: str, approvals: Approvals, __: str) -> str:
    return replies.status(approvals.project, list(approvals.list()))


def _run(argument: str, approvals: Approvals, by: str) -> str:
    wave = _number(argument, "run")
    approval = approvals.for_wave(wave)
    if approval is not None and approval.state == "pending":
        approvals.decide(approval.id, "approve", by)
    else:
        approvals.queue_wave(wave)
    return f"Wave {wave} is approved and stands in the queue."


def _compare(argument: str, approvals: Approvals, _: str) -> str:
    waves = [_number(word, "compare") for word in re.split(r"[\s,]+", argument.strip()) if word]
    if not waves:
        waves = [record.id for record in approvals.project.waves()][-1:]
    if not waves:
        raise UsageError("there is no wave to compare; propose one with /plan")
    return compare(Workspace(approvals.project, "human"), CompareWaves(waves=waves[:20])).replace("\n", "\n\n")


def _diagnose(argument: str, approvals: Approvals, _: str) -> str:
    if not argument:
        raise UsageError(f"/diagnose needs a run: {USAGE['diagnose']}, as /diagnose exp001/s0")
    record = approvals.project.run(argument)
    alerts = record.alerts()[-10:]
    if not alerts:
        return f"The watchdog found nothing in {argument}."
    told = [f"- **{alert.get('finding', 'alert')}**: {alert.get('message', '')}" for alert in alerts]
    ask = f'Write "isolate why {argument} failed" for a wave of experiments that tells the cause.'
    return "\n".join([f"The watchdog found in {argument}:", "", *told, "", ask])


def _budget(argument: str, approvals: Approvals, by: str) -> str:
    budgets = StandingBudgets(approvals.project)
    if argument == "off":
        budgets.revoke(by)
        return "The standing budget is revoked: every plan waits for you again."
    if argument:
        found = re.fullmatch(r"(\d{1,4})\D*?\s+(\d{1,5}(?:\.\d+)?)\D*", argument)
        if found is None:
            raise UsageError(
                f"{argument[:80]!r} is no budget: {USAGE['budget']}, as /budget 6 2 for 6 runs a wave, 2 GPU hours"
            )
        budgets.grant(int(found[1]), float(found[2]), by)
    current = budgets.current()
    if current is None:
        return "There is no standing budget: every plan waits for you. Give one with /budget 6 2."
    return current.text


def _night(argument: str, approvals: Approvals, by: str) -> str:
    project = approvals.project
    if argument == "stop":
        process.stop(project, by)
        return "The night is being stopped, and its runs with it. What it found is told here when they are gone."
    if argument and argument != "status":
        Project.create(project.root)
        night = process.start(project, typed_terms(argument, project.settings().night), by)
        return (
            f"Night {night.id} is granted: {night.terms.text}. It plans and runs without asking, and tells here how it "
            "ended. Stop it above or with /night stop."
        )
    newest = Nights(project).newest()
    if newest is None:
        return "There was no night yet. Grant one with /night DIRECTIVE --waves 3 --runs 6 --hours 8."
    return summary(project, newest)


def _number(text: str, command: str) -> int:
    found = re.fullmatch(r"(?:wave\s*)?(\d{1,9})", text.strip())
    if found is None:
        raise UsageError(f"{text[:40]!r} is no number of a wave: {USAGE[command]}, as /{command} 3")
    return int(found[1])


_COMMANDS: dict[str, Callable[[str, Approvals, str], str]] = {
    "run": _run,
    "status": _status,
    "compare": _compare,
    "diagnose": _diagnose,
    "budget": _budget,
    "night": _night,
}
