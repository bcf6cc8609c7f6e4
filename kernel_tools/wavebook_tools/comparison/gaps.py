"""Sentences that stand in place of figures in which the filters leave nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bokeh.models.widgets import Div
from bokeh.plotting import figure

NOTHING_FITS = "No experiment fits all filters."
NOT_EVALUATED = "None of the experiments that the filters show has been evaluated."
NOTHING_RECORDED = "None of the experiments that the filters show has recorded an iteration."


@dataclass(frozen=True)
class Gap:
    """Figures, each of which ``linking.js`` hides where it would be empty, and what it says where all are hidden."""

    figures: list[figure]
    rows: list[list[int]]
    """For each figure the rows of the experiments that it shows something of."""
    note: Div

    @classmethod
    def of(cls, figures: Sequence[figure], rows: Sequence[Iterable[int]], text: str) -> Gap:
        """Before the filters are used nothing is hidden, as a section without contents is left out."""
        note = Div(text=f"<p>{text}</p>", visible=False, sizing_mode="stretch_width")
        return cls(list(figures), [list(one) for one in rows], note)
