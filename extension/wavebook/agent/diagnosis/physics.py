"""Hangs, dropped constraints and broken simulations: the ground, the change, the number of robots, or the solver?"""

from __future__ import annotations

from wavebook.agent.diagnosis.case import Case, Family, Step, Variant
from wavebook.agent.diagnosis.changes import FINISHES, without_changes
from wavebook.agent.diagnosis.learning import calmer_learner

GROUND = "env.scene.terrain.terrain_generator.sub_terrains."
SOLVER = "env.sim.physics.solver_cfg."
FEWEST_ITERATIONS = 10
ROOM = 1.25
"""A repeat runs so much longer than it took to fail."""
MOST_CHANGES = 2


def physics(case: Case) -> Family:
    """The ground in halves, or without the sub-terrain that the broken robots stood on; without what the experiment
    changed; fewer robots; other solver settings. Each run is as long as it took to fail, with some room: a shorter
    horizon tells the same.

    Where the changes are no suspects, the learner is: one that diverges throws the robots about, and breaks them.
    """
    changes = without_changes(case, MOST_CHANGES)
    if not changes and case.kind == "not a number":
        changes = calmer_learner(case, FINISHES)
    if case.kind == "constraint overflow":
        variants = [*_grounds(case), *_solver(case), *changes, *_fewer(case)]
    else:
        variants = [*_grounds(case), *changes, *_fewer(case), *_solver(case)]
    steps = []
    if _sub_terrains(case):
        arguments = {"task": case.spec.task, "overrides": case.spec.overrides, "num_envs": min(case.spec.num_envs, 64)}
        steps.append(Step("bisect_terrains", arguments, "trials with random actions name the sub-terrains that break"))
    question = "Is it the ground, the number of robots, or the solver?"
    if changes:
        question = "Is it the ground, what the experiment changes, the number of robots, or the solver?"
    return Family(question, variants, steps, horizon(case))


def horizon(case: Case) -> int:
    """Iterations within which the failure must show again."""
    reached = case.last_iteration or 0
    return min(case.spec.iterations, int(ROOM * reached) + FEWEST_ITERATIONS)


def _sub_terrains(case: Case) -> list[str]:
    """Sub-terrains that the run's ground has a share of, by name."""
    names = [
        name.removeprefix(GROUND).partition(".")[0]
        for name in case.schema.parameters
        if name.startswith(GROUND) and name.endswith(".proportion")
    ]
    chosen = case.value("env.terrain_set")
    # A set gives shares that the defaults do not tell; then each sub-terrain counts as there.
    return [n for n in names if chosen not in (None, "full") or (case.number(f"{GROUND}{n}.proportion") or 0.0) > 0.0]


def _grounds(case: Case) -> list[Variant]:
    names = _sub_terrains(case)
    counted = case.evidence.get("terrains")
    suspects = [name for name in counted if name in names] if isinstance(counted, dict) else []
    if suspects:
        return [_without([suspects[0]], f"the simulation breaks on {suspects[0]}", f"without-{suspects[0]}")]
    if len(names) < 2:
        return []
    half = len(names) // 2
    return [
        _without(names[:half], "what fails stands in the first half of the sub-terrains", "second-half-of-ground"),
        _without(names[half:], "what fails stands in the second half of the sub-terrains", "first-half-of-ground"),
    ]


def _without(names: list[str], suspicion: str, slug: str) -> Variant:
    overrides = {f"{GROUND}{name}.proportion": 0.0 for name in names}
    return Variant(
        slug.replace("_", "-")[:48], f"Without {', '.join(names)} the runs finish, because {suspicion}.", overrides
    )


def _fewer(case: Case) -> list[Variant]:
    number = case.spec.num_envs // 2 // case.spec.gpus * case.spec.gpus
    if number < 1:
        return []
    said = f"With {number} robots instead of {case.spec.num_envs} the runs finish: the failure is one of size."
    return [Variant("fewer-robots", said, num_envs=number)]


def _solver(case: Case) -> list[Variant]:
    found = []
    for name in ("njmax", "nconmax"):
        now = case.number(f"{SOLVER}{name}")
        if now is None or (case.kind == "constraint overflow" and case.evidence.get("parameter") not in (name, None)):
            continue
        needed = case.evidence.get("needed")
        room = max(2 * int(now), int(1.25 * needed) if isinstance(needed, int) and 0 < needed < 10**6 else 0)
        overrides = case.known({f"{SOLVER}{name}": room})
        said = f"With room for {room} instead of {now:g} ({name}) the runs finish: the solver ran out of it."
        found.append(Variant(f"more-{name}", said, overrides))
    step, decimation = case.number("env.sim.dt"), case.number("env.decimation")
    if not found and step and decimation:
        finer = case.known({"env.sim.dt": step / 2, "env.decimation": int(2 * decimation)})
        said = "With half the physics step at the same rate of actions the runs finish: the solver did not converge."
        found.append(Variant("finer-physics", said, finer))
    return found[:2]
