"""Runs that train and learn nothing: dead policies, collapsed levels, inflated rewards, a learner that diverged."""

from __future__ import annotations

from wavebook.agent.diagnosis.case import Case, Family, Variant
from wavebook_tools.records.plan import Prediction

RATE = "agent.algorithm.learning_rate"
ENTROPY = "agent.algorithm.entropy_coef"
LEVEL = "env.scene.terrain.max_init_terrain_level"
MOST_CHANGES = 3


def learning(case: Case) -> Family:
    """Without each of what the experiment changed; with a calmer learner; on gentler ground; with less of what grew."""
    good = _good(case)
    variants = [
        Variant(
            f"without-{name.rpartition('.')[0].rpartition('.')[2] or name}".replace("_", "-").lower()[:48].strip("-"),
            f"With {name} as the task has it the robots learn: the change stops them.",
            dropped=(name,),
            prediction=good,
        )
        for name in list(case.spec.overrides)[:MOST_CHANGES]
    ]
    if case.kind == "reward inflation":
        variants += _less_of_what_grew(case, good)
    if case.kind == "terrain collapse" and LEVEL in case.schema.parameters:
        said = "Begun on the easiest ground the robots learn to leave it: they were put on ground too hard to walk."
        variants.append(Variant("start-on-easy-ground", said, {LEVEL: 0}, prediction=good))
    if case.kind != "reward inflation" and (rate := case.number(RATE)):
        calmer = case.known({RATE: rate / 3, **({ENTROPY: 2 * e} if (e := case.number(ENTROPY)) else {})})
        said = "With a third of the learning rate and more exploration the robots learn: the learner left them no way."
        variants.append(Variant("calmer-learner", said, calmer, prediction=good))
    return Family("Is it the change, the learner, or the ground?", variants)


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
