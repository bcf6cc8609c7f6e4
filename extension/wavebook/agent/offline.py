"""The planner that needs no key: it reads the directive and the records, and proposes a wave.

The same directive over the same records gives the same plan.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from wavebook.agent import replies
from wavebook.agent.approvals import Approval, Approvals
from wavebook.agent.diagnosis.case import failed_run
from wavebook.agent.diagnosis.mending import broken_run, mend
from wavebook.agent.diagnosis.plan import Isolation, plan_for
from wavebook.agent.directive import Directive
from wavebook.agent.planner import Part, Proposal, Request, TextDelta
from wavebook.agent.proposal import Proposed, propose
from wavebook.agent.reading import read_directive
from wavebook_tools.errors import UsageError
from wavebook_tools.metrics.quantities import counted
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema, load_tasks


class OfflinePlanner:
    """Plans from rules and records."""

    name = "offline"
    label = "Offline planner"

    def __init__(self, project: Project, *, tasks: Mapping[str, TaskSchema] | None = None) -> None:
        self.project = project
        self._tasks = tasks

    def propose(self, directive: str, *, experiments: int | None = None, seeds: int | None = None) -> WavePlan:
        """A wave for a directive.

        Args:
            directive: What to find out, in free words.
            experiments: How many, the baseline among them; overrules the directive.
            seeds: Seeds of each; overrules the directive.

        Raises:
            UsageError: The directive says nothing that could be planned, or asks for what cannot run.
        """
        read = self._read(directive)
        read = replace(read, experiments=experiments or read.experiments, seeds=seeds or read.seeds)
        if read.intent == "diagnose":
            isolation = self._isolate(read)
            if isolation.plan is None:
                raise UsageError(replies.isolation(isolation))
            return isolation.plan
        if read.intent == "mend":
            return self._mend(read)
        if not read.plans:
            raise UsageError(replies.clarification(read))
        return self._propose(read).plan

    async def answer(self, request: Request) -> AsyncIterator[Part]:
        """The answer: for a directive what was understood, why this wave, and the wave; else a plain reply."""
        read, replaced = await asyncio.to_thread(self._read_after, request)
        if read.plans:
            heard = _heard(read)
            yield TextDelta(heard)
            if (unattended := request.unattended) is not None:
                read = replace(read, runs=min(read.runs or unattended.runs, unattended.runs), unattended=True)
            proposed = await asyncio.to_thread(self._propose, read, replaced)
            for reason in proposed.reasons:
                yield TextDelta(f"\n\n{reason}")
            yield TextDelta(f"\n\n{_summary(proposed.plan)}")
            yield Proposal(proposed.plan, replaces=replaced.id if replaced is not None else None)
        elif read.intent == "diagnose":
            isolation = await asyncio.to_thread(self._isolate, read)
            yield TextDelta(replies.isolation(isolation))
            if isolation.plan is not None:
                yield Proposal(isolation.plan)
        elif read.intent == "mend":
            plan = await asyncio.to_thread(self._mend, read)
            yield TextDelta(f"{plan.rationale}\n\n{_summary(plan)}")
            yield Proposal(plan)
        else:
            yield TextDelta(await asyncio.to_thread(self._reply, read))

    def _read(self, text: str) -> Directive:
        # By their folders: a damaged plan is told where it is read for its numbers.
        folders = [path.name.partition("-") for path in self.project.waves_path.glob("*/exp*-*")]
        names = {name for number, _, slug in folders for name in (number, slug)}
        return read_directive(text, self._known_tasks(), self.project.settings().training.task, names)

    def _read_after(self, request: Request) -> tuple[Directive, Approval | None]:
        """A message as it is meant after what was said before: «again with 5 seeds» changes the plan that waits, which
        is returned with it."""
        read = self._read(request.body)
        if not read.amends:
            return read, None
        proposed = next((m.approval for m in reversed(request.history) if m.approval is not None), None)
        if proposed is None:
            return read, None
        waiting = Approvals(self.project, tasks=self._tasks).get(proposed)
        if waiting.state != "pending" or not waiting.plan.directive:
            return read, None
        before = self._read(waiting.plan.directive)
        return (before.amended(read), waiting) if before.says_something else (read, None)

    def _isolate(self, read: Directive) -> Isolation:
        run = failed_run(self.project, read.subject)
        numbers = Approvals(self.project, tasks=self._tasks).next_numbers()
        return plan_for(self.project, run, numbers, self._known_tasks(), self.name, directive=read.text)

    def _mend(self, read: Directive) -> WavePlan:
        run = broken_run(self.project, read.subject)
        numbers = Approvals(self.project, tasks=self._tasks).next_numbers()
        return mend(self.project, run, numbers, self._known_tasks(), self.name, directive=read.text)

    def _propose(self, read: Directive, replaced: Approval | None = None) -> Proposed:
        approvals = Approvals(self.project, tasks=self._tasks)
        proposed = propose(self.project, read, approvals.next_numbers(), self._known_tasks(), self.name)
        pending = [approval for approval in approvals.list() if approval.state == "pending"]
        waiting = [str(approval.plan.id) for approval in pending if replaced is None or approval.id != replaced.id]
        if replaced is not None:
            proposed.reasons.append(f"It takes the place of wave {replaced.plan.id}, whose plan is withdrawn.")
        if waiting:
            one = len(waiting) == 1
            proposed.reasons.append(
                f"Wave{'' if one else 's'} {', '.join(waiting)} still wait{'s' if one else ''} for your decision; "
                "this plan does not count on a result of it."
            )
        heard = _heard(read).replace("**", "")
        rationale = "\n".join([*heard.split("\n\n"), *proposed.reasons])
        return Proposed(proposed.plan.model_copy(update={"rationale": rationale}), proposed.reasons)

    def _reply(self, read: Directive) -> str:
        approvals = list(Approvals(self.project, tasks=self._tasks).list())
        if read.intent == "status":
            return replies.status(self.project, approvals)
        if read.intent == "greeting":
            return replies.greeting(self.project, approvals)
        if read.intent == "help":
            return replies.help_text()
        if read.intent == "thanks":
            return "You're welcome."
        if read.intent == "stop":
            return replies.stopping()
        return replies.clarification(read)

    def _known_tasks(self) -> Mapping[str, TaskSchema]:
        return load_tasks() if self._tasks is None else self._tasks


def _heard(read: Directive) -> str:
    notes = "; ".join(read.notes) or "go on from what is known"
    text = f"**Understood:** {notes}."
    if read.unknown:
        text += f"\n\n**Not understood, and left aside:** {replies.quoted(read.unknown)}."
    return text


def _summary(plan: WavePlan) -> str:
    names, runs = counted(len(plan.experiments), "experiment"), counted(plan.run_count, "run")
    return f"Wave {plan.id}: {names}, {runs}, {plan.num_envs} robots and {plan.iterations} iterations each."
