"""The widgets of a comparison: legend, filters, smoothing, axes, what to export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.layouts import row
from bokeh.models import InlineStyleSheet
from bokeh.models.layouts import LayoutDOM
from bokeh.models.widgets import Button, CheckboxGroup, NumericInput, Select

from wavebook_tools.comparison.data import Experiment
from wavebook_tools.comparison.linked import Linked, preset_of, state_of
from wavebook_tools.metrics.quantities import quantity

INPUT_STYLE = """
.bk-input, .bk-btn { background-color: var(--jp-layout-color1, #fff); color: var(--jp-ui-font-color1, #333);
  border-color: var(--jp-border-color1, #bbb); }
.bk-btn:hover { background-color: var(--jp-layout-color2, #eee); }
select.bk-input { background-image: linear-gradient(45deg, transparent 50%, currentColor 50%),
  linear-gradient(135deg, currentColor 50%, transparent 50%); background-size: 5px 5px; background-repeat: no-repeat;
  background-position: right 12px center, right 7px center; }
.bk-input-group, label { color: var(--jp-ui-font-color1, #333); }
"""
_LEGEND = """
.bk-input-group { display: flex; flex-wrap: wrap; gap: 2px 16px; max-height: 160px; overflow-y: auto; }
.bk-input-group > label { display: inline-flex; align-items: center; gap: 4px; font-size: 12px; margin: 0; }
.bk-input-group.bk-inline > label:not(:first-child) { margin-left: 0; }
.bk-input-group > label > span { padding-bottom: 1px; border-bottom: 3px solid; }
.marked { background: var(--jp-layout-color2, #8883); } .chosen { font-weight: 600; }
"""
_CSS_DASHES = {"solid": "solid", "dashed": "dashed", "dotdash": "double", "dotted": "dotted"}

FILTERS: dict[str, tuple[str, Callable[[Experiment], str]]] = {
    "wave": ("Wave", lambda experiment: f"{experiment.plan.id}"),
    "state": ("State", state_of),
    "preset": ("Reward preset", preset_of),
}


def inputs() -> InlineStyleSheet:
    """The look of widgets, after the theme."""
    return InlineStyleSheet(css=INPUT_STYLE)


def options(pairs: Iterable[tuple[str, str]]) -> list[str | tuple[Any, str]]:
    """Values and their texts, as a Select takes them."""
    return list(pairs)


@dataclass(frozen=True)
class Filters:
    """Choices that hide experiments; only those where there is something to choose."""

    selects: list[Select]
    keys: list[str]
    hide: InlineStyleSheet
    """Hides the rows of legend and table; ``linking.js`` writes it."""


WRAPPED = {"flex-wrap": "wrap"}
"""Style of a row of widgets that a narrow page breaks into lines."""


def filters(linked: Linked) -> Filters:
    """A filter for each of wave, state and preset of which there are several."""
    selects, keys = [], []
    for key, (title, value) in FILTERS.items():
        found = list(dict.fromkeys(sorted(value(experiment) for experiment in linked.experiments)))
        if key == "wave":
            found.sort(key=int)
        if len(found) > 1:
            texts = options([("", "all"), *((text, text) for text in found)])
            selects.append(Select(title=title, value="", options=texts, width=180, stylesheets=[inputs()]))
            keys.append(key)
    return Filters(selects, keys, InlineStyleSheet(css=""))


def legend(linked: Linked, hide: InlineStyleSheet) -> CheckboxGroup:
    """The experiments with their line as it is drawn; unticking one mutes it. Native inputs, so keys work."""
    rules = [
        f".bk-input-group > label:nth-child({number}) > span"
        f" {{ border-bottom-color: {colour}; border-bottom-style: {_CSS_DASHES[dash]}; }}"
        for number, (colour, dash, _) in enumerate((linked.styles[e.id] for e in linked.experiments), start=1)
    ]
    return CheckboxGroup(
        labels=[experiment.label for experiment in linked.experiments],
        active=list(range(len(linked.experiments))),
        inline=True,
        sizing_mode="stretch_width",
        stylesheets=[inputs(), InlineStyleSheet(css=_LEGEND + "\n".join(rules)), hide],
    )


def metric_selects(shown: Sequence[str], names: Sequence[str]) -> list[Select]:
    """Which metric each panel shows."""
    listed = options((name, quantity(name).label) for name in names)
    return [
        Select(title=f"Panel {number}", value=name, options=listed, sizing_mode="stretch_width",
               stylesheets=[inputs()])
        for number, name in enumerate(shown, start=1)
    ]  # fmt: skip


def smoothing(end: int) -> NumericInput:
    """The time constant of the running mean [iterations].

    A plain input, because Bokeh's slider and spinner have parts without a name for screen readers.
    """
    title = "Smoothing [iterations]"
    return NumericInput(title=title, low=0, high=max(1, end), value=0, width=160, stylesheets=[inputs()])


def axes() -> CheckboxGroup:
    """Which axes are logarithmic."""
    return CheckboxGroup(
        labels=["Logarithmic values", "Logarithmic iterations"],
        active=[],
        margin=(18, 5, 5, 15),
        stylesheets=[inputs()],
    )


@dataclass(frozen=True)
class Exports:
    """What can be taken along."""

    table: Button
    curves: Button
    picture: Button

    @classmethod
    def make(cls) -> Exports:
        return cls(
            *(
                Button(label=label, width=150, stylesheets=[inputs()])
                for label in ("Table as CSV", "Shown curves as CSV", "Figures as PNG")
            )
        )

    def layout(self) -> LayoutDOM:
        return row(self.table, self.curves, self.picture, styles=WRAPPED)
