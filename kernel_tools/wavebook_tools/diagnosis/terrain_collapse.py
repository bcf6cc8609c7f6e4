"""Terrain collapse: the curriculum has put the robots on the easiest ground and does not get them off it."""

from __future__ import annotations

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Event, RunView, Signature, number, values_of
from wavebook_tools.diagnosis.window import Window

LEVELS = "Curriculum/terrain_levels"
ROWS = "env.scene.terrain.terrain_generator.num_rows"

COLLAPSED_LEVEL = 0.05
"""Mean level at which hardly a robot in twenty stands above the lowest. Good runs begin anywhere, sink while they
cannot walk (to 0.6 on the full mix) and then rise."""

WINDOW = 100
EARLIEST = 300
"""Iterations in a row at that level, and the first at which it is told: walking is learned before (130 iterations on
rough ground), and each episode of a walker raises its robot's level."""


class TerrainCollapse(Signature):
    """``Curriculum/terrain_levels`` at most 0.05 for 100 iterations in a row, after 300: an alert, told once. A ground
    of one level has none to lose and is left alone."""

    kind = "terrain collapse"

    def __init__(self) -> None:
        self._levels, self._time_out = Window(WINDOW), Window(WINDOW)
        self._seen = 0
        self._told = False

    def see(self, event: Event, run: RunView) -> Finding | None:
        values = values_of(event)
        level = number(values.get(LEVELS))
        if level is None or self._told or run.overrides.get(ROWS) == 1:
            return None
        self._seen += 1
        self._levels.add(level)
        self._time_out.add(number(values.get("Episode_Termination/time_out")) or 0.0)
        if self._seen < EARLIEST or not self._levels.full or self._levels.highest > COLLAPSED_LEVEL:
            return None
        self._told = True
        stands = self._time_out.mean > 0.8
        how = "while its robots stay up: they stand still" if stands else "and its robots fall"
        message = f"the terrain level has been {self._levels.mean:.2f} for {WINDOW} iterations, {how}"
        evidence = {
            "terrain_levels": round(self._levels.mean, 4),
            "time_out": round(self._time_out.mean, 4),
            "iteration": run.last_iteration,
        }
        why = (
            "a robot rises only where it walks half a sub-terrain; this policy, or commands this slow, never do"
            if stands
            else "a policy that falls on the easiest ground does not learn harder ground; start it on gentler terrain"
        )
        return Finding(self.kind, message, evidence, suggestion=Suggestion(Action.STOP_BRANCH, why))
