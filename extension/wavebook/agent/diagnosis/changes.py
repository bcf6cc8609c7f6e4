"""What the experiment itself changed, as suspects: each change taken back alone, or a half of them at a time."""

from __future__ import annotations

from wavebook.agent.diagnosis.case import FINISHED, Case, Variant
from wavebook_tools.records.plan import Prediction

FINISHES = Prediction(metric=FINISHED, direction="up")


def without_changes(
    case: Case, most: int, effect: str = "the runs finish", prediction: Prediction = FINISHES
) -> list[Variant]:
    """Variants that take the changes of a run back, none where it is the task as it is.

    Args:
        case: The run.
        most: Up to so many overrides are taken back one by one, more in two halves.
        effect: What is then expected, in words.
        prediction: The same as a number.
    """
    changed = list(case.spec.overrides)
    variants = []
    if case.spec.code:
        said = f"Without its code {effect}: the code stops them."
        variants.append(Variant("without-code", said, without_code=True, prediction=prediction))
    if len(changed) <= most:
        for name in changed:
            said = f"With {name} as the task has it {effect}: the change stops them."
            variants.append(Variant(_slug(name), said, dropped=(name,), prediction=prediction))
        return variants
    half = (len(changed) + 1) // 2
    for slug, names in (("without-first-half", changed[:half]), ("without-second-half", changed[half:])):
        said = f"Without {', '.join(names)} {effect}: one of them stops them."
        variants.append(Variant(slug, said, dropped=tuple(names), prediction=prediction))
    return variants


def _slug(name: str) -> str:
    """As ``without-action-rate-l2`` and ``without-learning-rate``."""
    return f"without-{name.removesuffix('.weight').rpartition('.')[2]}".replace("_", "-").lower()[:48].strip("-")
