"""The code overrides of a plan as a person approves them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from wavebook_tools.code.diff import diff
from wavebook_tools.records.code import CodeOverride
from wavebook_tools.records.plan import WavePlan


class CodeDiff(BaseModel):
    """One code override of a plan."""

    experiment: str | None
    """The experiment that brings it; None where all of the wave share it."""
    name: str
    diff: str
    """Unified, against what was last approved under the name, or against nothing."""


def code_diffs(plan: WavePlan, earlier: Sequence[WavePlan]) -> list[CodeDiff]:
    """The plan's code against that of plans approved earlier, oldest first."""
    known: dict[tuple[str, str], CodeOverride] = {}
    for before in earlier:
        known.update({(code.kind, code.name): code for _, code in _all(before)})
    return [
        CodeDiff(experiment=experiment, name=code.name, diff=diff(code, known.get((code.kind, code.name))))
        for experiment, code in _all(plan)
    ]


def digests(plan: WavePlan) -> dict[str, str]:
    """What tells the sources of a plan apart, by experiment and name."""
    return {f"{experiment or 'wave'} {code.name}": code.digest for experiment, code in _all(plan)}


def code_refs(plan: WavePlan) -> dict[str, dict[str, str]]:
    """The plan's code for a line of the ledger; empty where it has none."""
    return {"code": found} if (found := digests(plan)) else {}


def _all(plan: WavePlan) -> list[tuple[str | None, CodeOverride]]:
    own = [(experiment.id, code) for experiment in plan.experiments for code in experiment.code]
    return [*((None, code) for code in plan.code), *own]
