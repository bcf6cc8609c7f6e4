"""Runs that train and learn nothing: dead policies, collapsed levels, inflated rewards, a learner that diverged."""

from __future__ import annotations

from wavebook.agent.diagnosis.case import Case, Family, Variant
from wavebook.agent.diagnosis.changes import without_changes
from wavebook_tools.records.plan import Prediction

RATE = "agent.algorithm.learning_rate"
ENTROPY = "agent.algorithm.entropy_coef"
LEVEL = "env.scene.terrain.max_init_terrain_level"
MOST_CHANGES = 3


def learning(case: Case) -> Family:
    """Without each of what the experiment changed; with a calmer learner; on gentler ground; with less of what grew."""
    good = _good(case)
    variants = without_changes(case, MOST_CHANGES, "the robots learn", good)
    if case.kind == "reward inflation":
        variants += _less_of_what_grew(case, good)
    if case.kind == "terrain collapse" and LEVEL in case.schema.parameters:
        said = "Begun on the easiest ground the robots learn to leave it: they were put on ground too hard to walk."
        variants.append(Variant("start-on-easy-ground", said, {LEVEL: 0}, prediction=good))
    if case.kind != "reward inflation":
        variants += calmer_learner(case, good)
    return Family("Is it the change, the learner, or the ground?", variants)


def calmer_learner(case: Case, prediction: Prediction) -> list[Variant]:
    """A learner that takes smaller steps; none where the task has no learning rate."""
    rate = case.number(RATE)
    if not rate:
        return []
    if case.kind == "not a number":  # an entropy bonus is one of the things that make a deviation grow without end
        said = "With a third of the learning rate the runs finish: the learner diverged."
        return [Variant("calmer-learner", said, case.known({RATE: rate / 3}), prediction=prediction)]
    calmer = case.known({RATE: rate / 3, **({ENTROPY: 2 * e} if (e := case.number(ENTROPY)) else {})})
    said = "With a third of the learning rate and more exploration the robots learn: the learner left them no way."
    return [Variant("calmer-learner", said, calmer, prediction=prediction)]


def _good(case: Case) -> Prediction:
    if case.kind == "terrain collapse":
        return Prediction(metric="terrain_level", direction="up")
    if case.kind == "not a number":
        return Prediction(metric="finished", direction="up")
    return Prediction(metric="error_vel_xy", direction="down")


def _less_of_what_grew(case: Case, good: Prediction) -> list[Variant]:
    grown = case.evidence.get("terms")
    found = []
    for term in list(grown)[:2] if isinstance(grown, dict) else []:
        weight = f"env.rewards.{term}.weight"
        now = case.number(weight)
        if now:
            said = f"With half of {term} the velocity error goes down: the term was earned without tracking."
            slug = f"half-{term}".replace("_", "-").lower()[:48].strip("-")
            found.append(Variant(slug, said, {weight: now / 2}, prediction=good))
    return found
