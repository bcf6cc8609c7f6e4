"""The night itself: plan, approve, wait for the runs to end, judge, and again, until a limit, the goal or a dead end.

All that it must remember stands in the database, so it can be killed at any point and begun anew. It sleeps on a named
pipe that the queue writes to as runs end; the only timers are its own limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Coroutine, Sequence

from wavebook.agent.approvals import Approvals, TakenError
from wavebook.agent.chat import Chat
from wavebook.agent.evidence import rank, read_evidence
from wavebook.agent.night import judging, planning
from wavebook.agent.night.after_failure import advice
from wavebook.agent.night.closing import close_night
from wavebook.agent.night.grant import ACTOR, NightRecord, Nights, Outcome
from wavebook.agent.night.hopeless import LOOK, end_hopeless, may_be_hopeless
from wavebook.agent.night.spending import Spending, spending, spent_before_its_end, spent_up
from wavebook.agent.planner import Planner, RefusedError
from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.jobs.queue import Queue, recover
from wavebook_tools.jobs.store import QueuedRun
from wavebook_tools.records.ledger import Actor
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunState

SAFETY = 60.0
"""How often it looks whether the queue still moves while it waits [s]: one that was killed together with all its runs
wakes nobody."""

PAUSES = (30.0, 300.0)
"""How long it waits before it asks a planner again that did not answer [s]."""

CONFIRMING_SEEDS = 3
"""Seeds of the last wave, which repeats the best on new ones."""


class Halted(Exception):  # noqa: N818
    """A person stopped the night, or the process is to end."""


class Night:
    """One night in force, followed by one process."""

    def __init__(self, project: Project, planner: Planner) -> None:
        self.project = project
        self.planner = planner
        self.nights = Nights(project)
        self.woken = asyncio.Event()
        self.interrupted = False
        """Whether this process is to end and leave the night for another."""

    async def run(self) -> None:
        """Work until the night ends or this process is interrupted."""
        while (night := self.nights.current()) is not None:
            try:
                await self._step(night)
            except Halted:
                if self.interrupted:
                    self._pause(night)
                    return
                await self._stop(night)
            except (WavebookError, sqlite3.DatabaseError, OSError) as error:
                self._end(night, "failed", f"{error}")
            except Exception as error:
                # Left in force, it would be begun again and fail again, all night.
                self._end(night, "failed", f"{type(error).__name__}: {error}")
                raise

    async def _step(self, night: NightRecord) -> None:
        self._heed()
        wave = night.open_wave
        if wave is None:
            finished = self._finished(night)
            if finished is not None:
                self._end(night, *finished)
            else:
                await self._begin(night)
        elif self._approved(night, wave):
            await self._follow(night, wave)

    def _heed(self) -> None:
        """Raise Halted where somebody wants an end."""
        current = self.nights.current()
        if self.interrupted or (current is not None and current.stop_by is not None):
            raise Halted

    # Between two waves

    def _finished(self, night: NightRecord) -> tuple[Outcome, str] | None:
        terms, now = night.terms, time.time()
        if terms.until is not None and night.judged:
            tasks = [self.project.wave(judged.wave).plan().task for judged in night.judged]
            if reached := judging.reached(self.project, terms.until, tasks):
                return "goal", reached
        if len(night.judged) >= terms.waves:
            return "budget", f"{terms.waves} waves were granted and have run"
        if why := spent_up(night, spending(self.project, night.waves, now), now):
            return "budget", why
        why = judging.stuck(night)
        return ("stuck", why) if why else None

    async def _begin(self, night: NightRecord) -> None:
        """Plan the next wave and approve it."""
        self.nights.set_state(night.id, "running", "planning")
        directive = self._directive(night)
        if directive is None:
            return
        approvals = Approvals(self.project)
        for pause in (*PAUSES, None):
            try:
                plan = await self._unless_halted(planning.next_plan(self.planner, self.project, night, directive))
                break
            except planning.NeedsPersonError as error:
                approvals.propose(error.plan, by=night.granted_by, asked_before=True)
                self._end(night, "stuck", f"the plan of wave {error.plan.id} waits for a person: {error}")
                return
            except UsageError as error:
                self._end(night, "stuck", f"{error}")
                return
            except RefusedError as error:
                self._end(night, "failed", f"the planner cannot be asked: {error}")
                return
            except WavebookError as error:
                if pause is None:
                    self._end(night, "failed", f"the planner does not answer: {error}")
                    return
                await self._unless_halted(asyncio.sleep(pause))
        self._heed()
        with contextlib.suppress(TakenError):  # a person proposed something meanwhile: it is planned anew, knowing that
            approvals.propose(
                plan,
                by=night.granted_by,
                asked_before=True,
                along=lambda connection: self.nights.begin_wave(connection, night.id, plan.id),
            )

    def _directive(self, night: NightRecord) -> str | None:
        """What the next wave is planned from; None where the night ended over it."""
        words = night.terms.directive
        last = night.judged[-1] if night.judged else None
        if last is not None and not last.done:
            found = advice(self.project, last.wave)
            if found is not None and found.needs_person:
                why = f"{', '.join(found.runs)}: the watchdog found {found.finding}, which a person must mend"
                self._end(night, "stuck", why)
                return None
            if found is not None and found.words:
                why = f"the watchdog found {found.finding} and suggests {found.action.replace('_', ' ')}: {found.words}"
                self.project.ledger.append("agent", ACTOR, "pivot", why=why, night=night.id, evidence=[*found.runs])
                return f"{words}, {found.words}"
        if (
            last is not None
            and last.best
            and len(night.judged) == night.terms.waves - 1
            and self._leads(night, last.wave)
        ):
            return f"reproduce the best with {min(CONFIRMING_SEEDS, max(1, night.terms.runs // 2))} seeds"
        return words

    def _leads(self, night: NightRecord, wave: int) -> bool:
        """Whether anything beats the baseline, so that the last wave is to confirm it."""
        metric, direction = judging.aim(self.project, night.terms)
        ranking = rank(read_evidence(self.project, self.project.wave(wave).plan().task), metric, direction)
        return ranking is not None and ranking.best is not ranking.reference

    def _approved(self, night: NightRecord, wave: int) -> bool:
        """Whether a wave stands in the queue; brings it there, or gives it up, where an earlier process did not."""
        approvals = Approvals(self.project)
        approval = approvals.for_wave(wave)
        if approval is not None and approval.state == "pending":
            # Asked here and not where it was planned: a planner may take hours, and a process may be gone for days.
            spent, now = spending(self.project, night.waves), time.time()
            why = spent_up(night, spent, now) or spent_before_its_end(night, spent, approval.estimate, now)
            if why:
                approvals.decide(approval.id, "reject", ACTOR, why, actor="agent")
                self.nights.drop_wave(night.id, wave)
                self._end(night, "budget", why)
                return False
            planning.approve(approvals, approval, night, night.terms.gpu_hours - spent.hours)
            return True
        if approval is not None and approval.state == "approved":
            if not approval.queued:
                approvals.queue_wave(wave)
            return True
        self.nights.drop_wave(night.id, wave)  # never proposed, or a person rejected it
        if approval is not None:
            self._end(night, "stuck", f"the plan of wave {wave} was {approval.state} by {approval.decided_by}")
        return False

    # While a wave runs

    async def _follow(self, night: NightRecord, wave: int) -> None:
        """Wait until all runs of a wave have ended, within the limits, and judge it."""
        self.nights.set_state(night.id, "running", "running")
        while True:
            self._heed()
            spent = spending(self.project, night.waves)
            unfinished = [run for run in spent.runs if run.wave == wave and not run.state.final]
            if not unfinished:
                self.nights.judge_wave(night.id, judging.judge(self.project, night, wave))
                return
            left = spent.seconds_left(night, time.time())
            if left <= 0:
                self._cancel(unfinished, self._over(night, spent))
            timeout = SAFETY if left <= 0 else min(SAFETY, left)
            if night.terms.end_hopeless and may_be_hopeless(self.project, spent.runs, wave):
                for run in end_hopeless(self.project, night, wave):
                    print(run, flush=True)
                timeout = min(timeout, LOOK)
            await self._wait(timeout)
            with contextlib.suppress(WavebookError, sqlite3.DatabaseError, OSError):
                recover(self.project)

    def _over(self, night: NightRecord, spent: Spending) -> str:
        if time.time() >= night.deadline:
            return f"the {night.terms.hours:g} hours of night {night.id} are over"
        return f"the {night.terms.gpu_hours:g} device hours of night {night.id} are spent ({spent.hours:.3g})"

    def _cancel(self, runs: Sequence[QueuedRun], why: str, *, by: str = ACTOR, actor: Actor = "agent") -> None:
        with Queue(self.project) as queue:
            # Queued ones first, so that none of them starts on a device that is just getting free.
            for run in sorted(runs, key=lambda run: run.state is not RunState.QUEUED):
                with contextlib.suppress(NotFoundError):
                    queue.cancel(run.id, by, why, actor=actor)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        self.woken.clear()

    async def _unless_halted[T](self, work: Coroutine[None, None, T]) -> T:
        """The result of some work; it is given up as soon as somebody wants an end."""
        task = asyncio.create_task(work)
        try:
            while not task.done():
                woken = asyncio.create_task(self.woken.wait())
                await asyncio.wait({task, woken}, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
                self.woken.clear()
                self._heed()
            return task.result()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, WavebookError):
                await task

    # Ends

    def _pause(self, night: NightRecord) -> None:
        self.nights.set_state(night.id, "paused", "")
        why = "its process was told to end; the runs go on"
        self.project.ledger.append("agent", ACTOR, "pause night", why=why, night=night.id)

    async def _stop(self, night: NightRecord) -> None:
        """End the night as a person wants it, with its runs unless they may go on."""
        wanted = self.nights.current() or night
        wave, by = wanted.open_wave, wanted.stop_by or ""
        if wave is not None:
            approvals = Approvals(self.project)
            approval = approvals.for_wave(wave)
            if approval is not None and approval.state == "pending":
                approvals.decide(approval.id, "reject", by, "the night was stopped")
        why = f"stopped by {by}" + (f": {wanted.stop_why}" if wanted.stop_why else "")
        if not wanted.keep_runs:
            unfinished = [run for run in spending(self.project, wanted.waves).runs if not run.state.final]
            self._cancel(unfinished, why, by=by, actor="human")
            while any(not run.state.final for run in spending(self.project, wanted.waves).runs):
                if self.interrupted:
                    break
                await self._wait(SAFETY)
                recover(self.project)
        self._end(wanted, "stopped", why)

    def _end(self, night: NightRecord, outcome: Outcome, why: str) -> None:
        # It stands within sentences: what a planner or a check said in lines, or with a full stop, becomes part of one.
        lines = (line.strip().removesuffix(".") for line in why.splitlines())
        self.nights.end(night.id, outcome, "; ".join(line for line in lines if line))
        text = close_night(self.project, self.nights)
        with contextlib.suppress(WavebookError):
            Chat(self.project).append("agent", text)
        print(text, flush=True)
