"""Reward inflation: the reward rises while the robots follow their commands worse."""

from __future__ import annotations

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Event, RunView, Signature, number, values_of
from wavebook_tools.diagnosis.window import Window

WINDOW = 50
"""Iterations of a mean."""

EARLIEST = 150
"""Iterations before which nothing is told: a policy that begins to walk risks falls, so that both may move."""

ERROR_RISE = 1.2
ERROR_RISE_BY = 0.03
"""The error must be above the best mean so far by this factor, and by so much [m/s]. In good runs a mean over 50
iterations comes back by under a tenth."""

REWARD_RISE = 0.1
"""And the reward above that of the best error's time by this share of its size."""

LEVELS = "Curriculum/terrain_levels"
HARDER = 0.25
"""Mean terrain level above that of the best error's time at which the comparison begins anew: on harder ground a policy
that is all the better for it follows its commands less closely."""

LASTING = 25
"""Iterations in a row that all of this must hold."""

TERMS = "Episode_Reward/"


class RewardInflation(Signature):
    """Over windows of 50 iterations ``Metrics/error_vel_xy`` is more than 20 % and 0.03 m/s above its lowest mean so
    far, and ``Train/mean_reward`` more than 10 % above what it was then, for 25 iterations in a row and on
    ground that is no harder: an alert, told once, with the reward terms that grew most."""

    kind = "reward inflation"

    def __init__(self) -> None:
        self._reward, self._error, self._level = Window(WINDOW), Window(WINDOW), Window(WINDOW)
        self._best: tuple[float, float, int | None, dict[str, float]] | None = None
        """Lowest mean error, the mean reward then, the iteration, the reward's terms."""
        self._level_then = 0.0
        self._seen = 0
        self._lasting = 0
        self._told = False

    def see(self, event: Event, run: RunView) -> Finding | None:
        values = values_of(event)
        reward, error = number(values.get("Train/mean_reward")), number(values.get("Metrics/error_vel_xy"))
        if reward is None or error is None or self._told:
            return None
        self._seen += 1
        self._reward.add(reward)
        self._error.add(error)
        self._level.add(number(values.get(LEVELS)) or 0.0)
        if not self._error.full:
            return None
        terms = {name: found for name, value in values.items() if name.startswith(TERMS) and (found := number(value))}
        harder = self._level.mean > self._level_then + HARDER
        if self._best is None or harder or self._error.mean < self._best[0]:
            self._best = self._error.mean, self._reward.mean, run.last_iteration, terms
            self._level_then = self._level.mean
        best_error, reward_then, iteration, terms_then = self._best
        inflated = self._error.mean > max(
            best_error * ERROR_RISE, best_error + ERROR_RISE_BY
        ) and self._reward.mean > reward_then + REWARD_RISE * abs(reward_then)
        self._lasting = self._lasting + 1 if inflated else 0
        if self._lasting < LASTING or self._seen < EARLIEST:
            return None
        self._told = True
        grown = sorted(terms, key=lambda name: terms[name] - terms_then.get(name, 0.0), reverse=True)[:3]
        names = tuple(name.removeprefix(TERMS) for name in grown)
        message = (
            f"the reward rose from {reward_then:.1f} to {self._reward.mean:.1f} while the velocity error rose from "
            f"{best_error:.2f} to {self._error.mean:.2f} m/s (since iteration {iteration}); what grew most: "
            + ", ".join(names)
        )
        evidence = {
            "error_vel_xy": [round(best_error, 4), round(self._error.mean, 4)],
            "mean_reward": [round(reward_then, 3), round(self._reward.mean, 3)],
            "best_iteration": iteration,
            "iteration": run.last_iteration,
            "terms": {name: round(terms[name] - terms_then.get(name, 0.0), 4) for name in grown},
        }
        why = "these rewards are earned without tracking; lower what grew most against the tracking terms"
        return Finding(self.kind, message, evidence, suggestion=Suggestion(Action.STOP_BRANCH, why, names=names))
