"""What an experiment was rewarded for, term by term, while it learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bokeh.models import ColumnDataSource, Range1d
from bokeh.models.widgets import Select
from bokeh.palettes import Category20_20
from bokeh.plotting import figure

from wavebook_tools.comparison.controls import inputs, options
from wavebook_tools.comparison.linked import Linked
from wavebook_tools.display.style import BASELINE_COLOUR, add_hover, make_figure

EXPLANATION = (
    "Terms of one experiment's reward on top of each other, gains above zero and costs below. Experiments may weigh "
    "terms differently, so heights do not compare between them."
)
GROUP = "Episode_Reward/"


@dataclass(frozen=True)
class RewardTerms:
    """The figure, which ``interaction.js`` fills, and whose reward it shows."""

    plot: figure
    source: ColumnDataSource
    select: Select
    terms: list[str]
    colours: tuple[str, ...] = Category20_20


def reward_terms(linked: Linked, names: Sequence[str]) -> RewardTerms | None:
    """The figure of the best experiment; None where no reward term was recorded."""
    terms = [name for name in names if name.startswith(GROUP)]
    if not terms:
        return None
    plot = make_figure("", "training iteration", "1/s", height=340, name="rewards",
                       x_range=Range1d(start=0, end=1), y_range=Range1d(start=0, end=1))  # fmt: skip
    source = ColumnDataSource({"xs": [], "ys": [], "label": [], "colour": [], "last": []})
    areas = plot.patches("xs", "ys", source=source, fill_color="colour", fill_alpha=0.85, line_color=None,
                         legend_field="label", name="rewards")  # fmt: skip
    plot.add_layout(plot.legend[0], "right")
    plot.legend[0].update(
        background_fill_alpha=0,
        border_line_color=None,
        label_text_color=BASELINE_COLOUR,
        label_text_font_size="11px",
        spacing=0,
        padding=0,
    )
    add_hover(plot, [("", "@label"), ("last", "@last{0.0000}")], renderers=[areas])
    select = Select(
        title="Experiment",
        value=linked.experiments[0].id,
        options=options((experiment.id, experiment.label) for experiment in linked.experiments),
        width=300,
        stylesheets=[inputs()],
    )
    return RewardTerms(plot, source, select, terms)
