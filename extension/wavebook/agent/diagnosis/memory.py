"""Out of memory, and kernels that died: how many robots fit, and was it their number at all?"""

from __future__ import annotations

from wavebook.agent.diagnosis.case import Case, Family, Variant
from wavebook.agent.diagnosis.changes import without_changes
from wavebook.agent.diagnosis.physics import MOST_CHANGES, horizon


def memory(case: Case) -> Family:
    """Half and a quarter of the robots, for as many iterations as it took to fail.

    A crash in native code is no sure sign of their number: there what the experiment changes is a suspect, too.
    """
    variants = []
    for part, slug in ((2, "half-the-robots"), (4, "a-quarter-of-the-robots")):
        number = case.spec.num_envs // part // case.spec.gpus * case.spec.gpus
        if number >= 1:
            said = f"{number} robots instead of {case.spec.num_envs} fit: memory grows with their number."
            variants.append(Variant(slug, said, num_envs=number))
    question = "How many robots fit?"
    if case.evidence.get("crash") and (changes := without_changes(case, MOST_CHANGES)):
        variants += changes
        question = "Is it the number of robots, or what the experiment changes?"
    return Family(question, variants, horizon=horizon(case))
