"""Out of memory, and kernels that died: how many robots fit?"""

from __future__ import annotations

from wavebook.agent.diagnosis.case import Case, Family, Variant
from wavebook.agent.diagnosis.physics import horizon


def memory(case: Case) -> Family:
    """Half and a quarter of the robots, for as many iterations as it took to fail."""
    variants = []
    for part, slug in ((2, "half-the-robots"), (4, "a-quarter-of-the-robots")):
        number = case.spec.num_envs // part // case.spec.gpus * case.spec.gpus
        if number >= 1:
            said = f"{number} robots instead of {case.spec.num_envs} fit: memory grows with their number."
            variants.append(Variant(slug, said, num_envs=number))
    return Family("How many robots fit?", variants, horizon=horizon(case))
