"""Dead policy: it no longer explores, falls at once, or stands still, and does not learn its way out."""

from __future__ import annotations

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Event, RunView, Signature, number, values_of
from wavebook_tools.diagnosis.window import Window

WINDOW = 100
"""Iterations that each rule looks back on."""

COLLAPSED_STD = 0.03
"""Standard deviation of the actions below which nothing is explored. Trained policies keep 0.2 to 0.8 of the 1 that
they begin with; hardly any task ends below 0.1."""

COLLAPSED_WINDOW = 20
"""Iterations in a row below it: the deviation is a parameter, not a noisy measurement."""

EARLIEST = 300
"""Iterations before which a policy is called neither fallen nor standing. The slowest good runs on rough ground walk
after 130."""

FALLEN_LENGTH = 100.0
"""Mean episode length of a robot that falls at once [steps], 2 s at 50 steps a second."""

FALLEN_TIME_OUT = 0.05
STANDING_TIME_OUT = 0.8
"""Share of episodes that end by time-out: of robots that fall, and of robots that stand."""

STANDING_ERROR = 0.85
"""Velocity error relative to that of the untrained policy, which walks nowhere either. It falls below this within 85
iterations of a good run on rough ground, and to a fifth at its end."""

STANDING_LEAST = 0.2
"""And at least this error [m/s]: a policy that was good from its first iteration does not stand still."""

LENGTHENING = 0.1
IMPROVING = -0.005
"""Change from one half of the window to the other that is progress: of the episodes' length, and of the error. A policy
that stands moves its error by a thousandth; one that learns seven times slower than the good runs still by a hundredth.
"""

UNTRAINED = 10
"""Iterations that the untrained policy's error is the mean of."""


class DeadPolicy(Signature):
    """Three rules, each told once as an alert:

    - ``Policy/mean_std`` below 0.03 for 20 iterations in a row;
    - after 300 iterations, for 100 in a row: time-outs below 5 %, episodes below 100 steps and not getting longer;
    - after 300 iterations, for 100 in a row: time-outs above 80 % and a velocity error not 15 % below the untrained
      policy's, nor getting lower. This needs the untrained policy's error, so a run that began from another's
      checkpoint without its first iterations is left alone.
    """

    kind = "dead policy"

    def __init__(self) -> None:
        self._std = Window(COLLAPSED_WINDOW)
        self._time_out, self._error = Window(WINDOW), Window(WINDOW)
        self._lengths = Window(WINDOW)
        self._untrained = Window(UNTRAINED)
        self._told: set[str] = set()
        self._seen = 0

    def see(self, event: Event, run: RunView) -> Finding | None:
        values = values_of(event)
        if not values:
            return None
        if self._seen == 0 and event.get("iteration") != 0:
            self._told.add("standing")  # begins from a checkpoint: what is untrained was never seen
        self._seen += 1
        error = number(values.get("Metrics/error_vel_xy"))
        if error is not None:
            if not self._untrained.full:
                self._untrained.add(error)
            self._error.add(error)
        for window, name in (
            (self._std, "Policy/mean_std"),
            (self._time_out, "Episode_Termination/time_out"),
            (self._lengths, "Train/mean_episode_length"),
        ):
            value = number(values.get(name))
            if value is not None:
                window.add(value)
        return self._collapsed(run) or self._fallen(run) or self._standing(run)

    def _collapsed(self, run: RunView) -> Finding | None:
        if not self._std.full or self._std.highest >= COLLAPSED_STD:
            return None
        why = "without noise in its actions a policy finds nothing new; a lower rate or more entropy keeps it exploring"
        return self._tell(
            "collapsed",
            f"the actions' standard deviation is down to {self._std.mean:.3f}: nothing is explored any more",
            {"mean_std": round(self._std.mean, 5)},
            Suggestion(Action.LOWER_LEARNING_RATE, why, names=("agent.algorithm.learning_rate",)),
            run,
        )

    def _fallen(self, run: RunView) -> Finding | None:
        if self._seen < EARLIEST or not (self._time_out.full and self._lengths.full):
            return None
        if self._time_out.highest >= FALLEN_TIME_OUT or self._lengths.highest >= FALLEN_LENGTH:
            return None
        if self._lengths.trend > LENGTHENING:
            return None
        return self._tell(
            "fallen",
            f"robots still fall at once after {self._seen} iterations (episodes of {self._lengths.mean:.0f} steps)",
            {"mean_episode_length": round(self._lengths.mean, 1), "time_out": round(self._time_out.mean, 4)},
            Suggestion(Action.STOP_BRANCH, "no progress in 100 iterations; rewards or terminations need another look"),
            run,
        )

    def _standing(self, run: RunView) -> Finding | None:
        if self._seen < EARLIEST or not (self._time_out.full and self._error.full):
            return None
        floor = STANDING_ERROR * self._untrained.mean
        if self._time_out.lowest <= STANDING_TIME_OUT or self._error.lowest < max(floor, STANDING_LEAST):
            return None
        if self._error.trend < IMPROVING:
            return None
        return self._tell(
            "standing",
            f"robots stay up but do not follow their commands after {self._seen} iterations "
            f"(error {self._error.mean:.2f} m/s, untrained {self._untrained.mean:.2f} m/s)",
            {"error_vel_xy": round(self._error.mean, 4), "untrained": round(self._untrained.mean, 4)},
            Suggestion(Action.STOP_BRANCH, "penalties outweigh tracking: standing still pays most with these rewards"),
            run,
        )

    def _tell(
        self, rule: str, message: str, evidence: dict[str, object], suggestion: Suggestion, run: RunView
    ) -> Finding | None:
        if rule in self._told:
            return None
        self._told.add(rule)
        evidence = {"rule": rule, "iteration": run.last_iteration, **evidence}
        return Finding(self.kind, message, evidence, suggestion=suggestion)
