"""What the policy gets to see, by name. The critic, which no robot carries, sees all of it undisturbed."""

from __future__ import annotations

import copy
from typing import Any

from wavebook_locomotion.errors import ConfigurationError, check_choice

HIDDEN: dict[str, tuple[str, ...]] = {
    "full": (),
    "blind": ("height_scan",),
    "deployable": ("height_scan", "base_lin_vel"),
}
"""The terms that each set hides from the policy."""

ABOUT = (
    "What the policy sees, by name. full: everything, and the critic the same; blind: no height scan; deployable: nor"
    " the base's linear velocity, which a robot cannot measure. With the last two the critic still sees everything,"
    " without noise"
)


def choose(env: Any, agent: Any, name: str) -> None:
    """Hide from the policy what the set ``name`` hides, and let the critic keep it.

    Raises:
        ConfigurationError: There is no such set; the message names the nearest.
    """
    check_choice("observation set", name, HIDDEN)
    env.observation_set = name
    if not HIDDEN[name]:
        return
    critic = copy.deepcopy(env.observations.policy)
    critic.enable_corruption = False
    env.observations.critic = critic
    agent.obs_groups = {**agent.obs_groups, "critic": ["critic"]}
    for term in HIDDEN[name]:
        setattr(env.observations.policy, term, None)


def check(overrides: dict[str, Any]) -> None:
    """Refuse overrides of what the chosen set hides: they would change nothing.

    Raises:
        ConfigurationError: Names the override and the set.
    """
    name = overrides.get("env.observation_set", "full")
    for term in HIDDEN.get(name, ()):
        prefix = f"env.observations.policy.{term}"
        for override in overrides:
            if override == prefix or override.startswith(f"{prefix}."):
                raise ConfigurationError(
                    f"{override!r} is set and env.observation_set {name!r} hides {term!r}; drop one of the two"
                )
