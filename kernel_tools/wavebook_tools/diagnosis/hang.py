"""Hang: no sign of life for longer than the phase's patience."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import RunView, number
from wavebook_tools.records.states import RunState

PATIENCE = {"starting": 900.0, "compiling": 1800.0, "training": 900.0, "evaluating": 1800.0}
"""How long a run of which nothing is known may be silent [s]. A first compilation for a large scene takes minutes on a
GPU and tens of minutes on few CPU cores; an evaluation prints nothing until it is done."""

LONGEST_STEP = 5.0
"""The most that a pause between two looks counts [s]. The supervisor looks every second; after a longer pause it was
itself not running (a suspended machine, a frozen container), and so was the run."""


class Hang:
    """Adds up the silence of a run."""

    kind = "hang"

    def __init__(self, patience: Mapping[str, Any] | None = None) -> None:
        given = {phase: number(seconds) for phase, seconds in (patience or {}).items()}
        self.patience = PATIENCE | {phase: seconds for phase, seconds in given.items() if seconds and seconds > 0}
        self.silence = 0.0
        """Time without a sign of life, as far as the watchdog itself was running [s]."""
        self._looked: float | None = None

    def allowed(self, run: RunView) -> float:
        """How long the run may be silent now [s]. Before its first iteration a training may still compile."""
        patience = self.patience.get(run.phase, PATIENCE["starting"])
        if run.phase == "training" and run.trained == 0:
            return max(patience, self.patience["compiling"])
        return patience

    def look(self, now: float, alive: bool, run: RunView) -> Finding | None:
        """Take in that the run gave a sign of life since the last look, or none. ``now`` is monotonic [s]."""
        step = min(max(0.0, now - self._looked), LONGEST_STEP) if self._looked is not None else 0.0
        self._looked = now
        if alive:
            self.silence = 0.0
            return None
        self.silence += step
        allowed = self.allowed(run)
        if self.silence <= allowed:
            return None
        message = f"no sign of life for {self.silence:.0f} s while {run.phase} (patience {allowed:.0f} s)"
        if run.last_iteration is not None:
            message += f"; the last iteration was {run.last_iteration}"
        evidence = {
            "phase": run.phase,
            "silence": round(self.silence, 1),
            "patience": allowed,
            "last_iteration": run.last_iteration,
        }
        return Finding(
            self.kind, message, evidence, ends_run=True, state=RunState.HUNG, suggestion=self._suggestion(run)
        )

    @staticmethod
    def _suggestion(run: RunView) -> Suggestion:
        if run.phase == "training":
            return run.fewer_envs(
                "a training that stands still usually waits for the physics step, and with fewer robots that step "
                "has passed; stacks.txt shows where it stood"
            )
        return Suggestion(Action.RETRY, f"a hang while {run.phase} is rarely the experiment's; see stacks.txt")
