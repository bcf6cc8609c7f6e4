"""Constraint overflow: the physics met more contacts or constraint rows than it has room for, and dropped some."""

from __future__ import annotations

import math
import re

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Event, RunView, Signature, line_with, text_of

SOLVER = "env.sim.physics.solver_cfg"

HEADROOM = 1.25
"""What the suggestion adds to the room that was needed: the worst moment is rarely the first one."""

FEWEST_TOLD_AT = 3
"""Reports before it is told: robots that fall over each other at a reset overflow once or twice without harm."""

INCREASE = re.compile(
    # mujoco_warp/_src/{forward,collision_convex,collision_flex,sensor}.py
    r"overflow[^\n]{0,60}?[-:] please increase (?P<name>(?:Option\.)?\w+) to (?P<number>\d+)"
    # mujoco_warp/_src/island.py
    r"|nvmax overflow: world \d+ needs (?P<needed>\d+) active DOFs"
    # newton/_src/solvers/mujoco/kernels.py
    r"|Number of Newton contacts \((?P<contacts>\d+)\) exceeded MJWarp limit \((?P<limit>\d+)\)"
    # mujoco_warp/_src/collision_convex.py
    r"|height field collision overflow, number of collisions >= (?P<height_field>\d+)"
)


class ConstraintOverflow(Signature):
    """MuJoCo-Warp or Newton reports an overflow in the run's output at least three times. The physics goes on without
    what it dropped, so robots sink in and states may become NaN: an alert, told once for each parameter.

    The solver's limits of iterations («solver iterations limit reached») belong to accuracy and are no overflow.
    """

    kind = "constraint overflow"

    def __init__(self) -> None:
        self._reports: dict[str, int] = {}
        self._needed: dict[str, int] = {}

    def see(self, event: Event, run: RunView) -> Finding | None:
        text = text_of(event)
        if "overflow" not in text and "exceeded MJWarp limit" not in text:
            return None
        found = None
        for match in INCREASE.finditer(text):
            name, needed = self._parameter(match, run)
            self._needed[name] = max(self._needed.get(name, 0), needed)
            reports = self._reports[name] = self._reports.get(name, 0) + 1
            if reports == FEWEST_TOLD_AT:
                found = name, line_with(text, match.start())
        return self._finding(*found, run) if found else None

    @staticmethod
    def _parameter(match: re.Match[str], run: RunView) -> tuple[str, int]:
        """The parameter to raise and the room that was needed."""
        if match["name"]:
            return match["name"].removeprefix("Option."), int(match["number"][:12])
        if match["needed"]:
            return "nvmax", int(match["needed"][:12])
        if match["contacts"]:
            contacts = int(match["contacts"][:12])
            return "nconmax", math.ceil(contacts / run.num_envs) if run.num_envs else contacts
        return "height field", int(match["height_field"][:12])

    def _finding(self, name: str, line: str, run: RunView) -> Finding:
        needed = self._needed[name]
        evidence = {
            "line": line,
            "parameter": name,
            "needed": needed,
            "reports": self._reports[name],
            "iteration": run.last_iteration,
        }
        message = f"the physics has no room for all contacts and drops some: {line}"
        return Finding(self.kind, message, evidence, suggestion=self._suggestion(name, needed, run))

    @staticmethod
    def _suggestion(name: str, needed: int, run: RunView) -> Suggestion:
        if name not in ("njmax", "nconmax"):
            return run.fewer_envs(f"{name} needs room for {needed}; it is no parameter of the task")
        parameter = f"{SOLVER}.{name}"
        room = math.ceil(needed * HEADROOM)
        why = f"{needed} are needed, and a quarter more leaves headroom"
        return Suggestion(Action.RAISE_LIMIT, why, overrides={parameter: room}, names=(parameter,))
