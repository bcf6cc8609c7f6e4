"""Not a number: metrics, the policy or the simulation hold NaN or inf."""

from __future__ import annotations

import re

from wavebook_tools.diagnosis.broken import FEWEST, NOT_FINITE, read_broken
from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Event, Failure, RunView, Signature, line_with, number, values_of

LEARNER = ("Loss/", "Policy/")
"""Metrics of the learner itself: once one of them is not a number, so are the network's parameters, and no further
iteration mends them. The others may recover, as a mean over episodes of which one was broken."""

CONSECUTIVE = 2
"""Iterations in a row that the learner's metrics must be broken before the run is ended."""

RESETS = "Guard/resets"

TOLD_AT = (1, 20)
"""Robots reset at which it is told: the first, and as many as the guard writes down, when what they share shows. One
broken robot among thousands says nothing of its terrain and asks for nothing."""

ERRORS = re.compile(
    r"normal expects all elements of std >= 0\.0"  # torch.normal of a policy whose deviation is NaN
    r"|returned by the environment contains? NaN (?:or infinite )?values"  # rsl_rl and our PPO
    r"|The learner returned values that are not numbers"
    r"|Expected (?:parameter|value argument) .{0,400}? to satisfy the constraint"  # torch.distributions' check
    r"|Function '\w+' returned nan values"  # torch's anomaly mode
    r"|probability tensor contains either `?inf`?, `?nan`?"
    r"|simulat\w+ returned values that are not numbers",
    re.DOTALL,
)


class NotANumber(Signature):
    """Three things, each told once, the last once more when twenty robots broke:

    - a metric of the learner is null in two iterations in a row: ends the run;
    - any other metric is null: an alert, as it may recover;
    - the guard reset robots whose simulation broke: an alert with their terrain.

    And a run that failed with one of the error texts of torch or rsl_rl.
    """

    kind = "not a number"

    def __init__(self) -> None:
        self.last_good: int | None = None
        self._broken_in_a_row = 0
        self._told_metric = False
        self._told_resets = 0

    def see(self, event: Event, run: RunView) -> Finding | None:
        values = values_of(event)
        if not values or run.phase != "training":
            return None
        broken = sorted(name for name, value in values.items() if _broken(value))
        if not broken:
            self.last_good = run.last_iteration
            self._broken_in_a_row = 0
            return self._resets(values.get(RESETS), run)
        learner = [name for name in broken if name.startswith(LEARNER)]
        self._broken_in_a_row = self._broken_in_a_row + 1 if learner else 0
        if self._broken_in_a_row >= CONSECUTIVE:
            return self._finding(f"{', '.join(learner[:4])} are not numbers since {self._since()}", learner, run, True)
        if not learner and not self._told_metric:
            self._told_metric = True
            return self._finding(f"{', '.join(broken[:4])} is not a number", broken, run, False)
        return None

    def explain(self, failure: Failure, run: RunView) -> Finding | None:
        match = failure.find(ERRORS)
        if match is None:
            return None
        line = line_with(match.string, match.start())
        return self._finding(f"the training met values that are not numbers, {self._since()}: {line}", [], run, True)

    def _since(self) -> str:
        return "the first iteration" if self.last_good is None else f"iteration {self.last_good}, the last good one"

    def _resets(self, value: object, run: RunView) -> Finding | None:
        resets = number(value) or 0.0
        due = [count for count in TOLD_AT if self._told_resets < count <= resets]
        if not due:
            return None
        self._told_resets = due[-1]
        robots = "robots broke; they were" if resets > 1 else "robot broke; it was"
        message = f"the simulation of {resets:.0f} {robots} reset and the training goes on"
        return self._finding(message, [RESETS], run, False)

    def _finding(self, message: str, metrics: list[str], run: RunView, ends_run: bool) -> Finding:
        broken = read_broken(run.folder)
        suggestion: Suggestion | None
        evidence = {"metrics": metrics[:20], "last_good_iteration": self.last_good, **broken.as_dict()}
        if broken.count:
            message += f" ({broken.describe()})"
        if broken.terrain is not None:
            name = f"env.scene.terrain.terrain_generator.sub_terrains.{broken.terrain}.proportion"
            why = f"most of the robots whose simulation broke stood on {broken.terrain}"
            suggestion = Suggestion(Action.EXCLUDE_TERRAIN, why, overrides={name: 0.0}, names=(broken.terrain,))
        elif ends_run and NOT_FINITE not in broken.reasons:
            suggestion = self._lower_learning_rate(run, thrown_about=broken.count)
        elif broken.count >= FEWEST or (broken.count and ends_run):
            suggestion = run.fewer_envs("the simulation itself broke; see checkpoints/broken")
        elif metrics == [RESETS]:
            suggestion = None
        else:
            suggestion = Suggestion(Action.RETRY_SEED, "a single broken metric may be this seed's alone")
        return Finding(self.kind, message, evidence, ends_run=ends_run, suggestion=suggestion)

    @staticmethod
    def _lower_learning_rate(run: RunView, *, thrown_about: int) -> Suggestion:
        name = "agent.algorithm.learning_rate"
        rate = number(run.overrides.get(name))
        overrides = {name: rate / 3} if rate else {}
        # Actions without measure throw robots about, and the guard takes them for broken; their values stay numbers.
        why = "the learner diverged" + (" and threw robots about" if thrown_about else ", no robot broke")
        return Suggestion(Action.LOWER_LEARNING_RATE, why, overrides, names=(name,))


def _broken(value: object) -> bool:
    """Whether a metric is null, as events hold NaN and inf, or one of these where another program wrote them."""
    return value is None or (isinstance(value, float) and number(value) is None)
