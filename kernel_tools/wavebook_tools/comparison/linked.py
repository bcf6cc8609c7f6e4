"""What ties the figures of a comparison together: one order of rows, one selection, one filter, one look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bokeh.models import BooleanFilter, CDSView, ColumnDataSource, HoverTool, TapTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from wavebook_tools.comparison.data import Experiment
from wavebook_tools.comparison.parameters import default_values
from wavebook_tools.comparison.verdict import Verdict
from wavebook_tools.display.style import BASELINE_COLOUR, DASHES, line_style
from wavebook_tools.records.run import RunState

LineStyle = tuple[str, str, float]
"""Colour, dash pattern and width [px]."""

PRESET = "env.reward_preset"
"""The parameter that names a set of reward weights."""

FADED = 0.08
"""Opacity of what is not selected."""


def curve_styles(experiments: Sequence[Experiment]) -> dict[str, LineStyle]:
    """Each experiment's line by its id, in the order of the plan; baselines are grey and wide."""
    styles: dict[str, LineStyle] = {}
    number = baselines = 0
    for experiment in experiments:
        if experiment.spec.baseline:
            styles[experiment.id] = (BASELINE_COLOUR, DASHES[baselines % len(DASHES)], 2.6)  # each wave has one
            baselines += 1
        else:
            styles[experiment.id] = (*line_style(number), 1.8)
            number += 1
    return styles


@dataclass(frozen=True)
class Linked:
    """Experiments as rows: every figure's source has them in this order, so that one selection fits all."""

    experiments: Sequence[Experiment]
    """Best first."""
    verdicts: Mapping[str, Verdict]
    styles: Mapping[str, LineStyle]
    scripts: bool
    """Whether the page may hold CustomJS."""
    shown: BooleanFilter = field(default_factory=BooleanFilter)
    sources: list[ColumnDataSource] = field(default_factory=list)
    """Sources with a row an experiment: they share selections, and a muted experiment lowers its ``alpha``."""
    scattered: list[ColumnDataSource] = field(default_factory=list)
    """Sources with any number of rows an experiment, whose ``row`` says which; they share selections and fade, too."""
    hovers: list[tuple[HoverTool, ColumnDataSource]] = field(default_factory=list)
    """Hover tools that mark their experiment everywhere, with the source that they look at."""
    marks: list[dict[str, ColumnDataSource]] = field(default_factory=list)
    """Where the experiment under the pointer is drawn once more: its ``source``, and what is ``marked`` of it."""

    def source(self, **columns: Sequence[Any] | NDArray[Any]) -> ColumnDataSource:
        """A source with a row for each experiment: its look and the columns given."""
        rows = [self.styles[experiment.id] for experiment in self.experiments]
        source = ColumnDataSource(
            {
                "label": [experiment.label for experiment in self.experiments],
                "colour": [colour for colour, _, _ in rows],
                "dash": [dash for _, dash, _ in rows],
                "width": [width for _, _, width in rows],
                "alpha": [1.0] * len(rows),
                **columns,
            }
        )
        self.sources.append(source)
        return source

    def scatter_source(self, rows: Sequence[int], **columns: Sequence[Any]) -> ColumnDataSource:
        """A source with as many rows an experiment as ``rows`` names it, and the columns given."""
        source = ColumnDataSource(
            {
                "row": list(rows),
                "label": [self.experiments[row].label for row in rows],
                "colour": [self.styles[self.experiments[row].id][0] for row in rows],
                "alpha": [1.0] * len(rows),
                **columns,
            }
        )
        self.scattered.append(source)
        return source

    def mark(self, source: ColumnDataSource, *columns: str) -> ColumnDataSource:
        """A source of one row, these columns of the experiment under the pointer, or of none."""
        marked = ColumnDataSource({column: [] for column in columns})
        self.marks.append({"source": source, "marked": marked})
        return marked

    def view(self) -> CDSView:
        """The rows that the filters let through."""
        return CDSView(filter=self.shown)

    def link(self, plot: figure, renderers: list[Any], tooltips: list[tuple[str, str]], **options: Any) -> None:
        """Let an experiment be hovered and clicked in a figure, to be marked in all of them."""
        hover = HoverTool(tooltips=tooltips, renderers=renderers, **options)
        plot.add_tools(hover, TapTool(renderers=renderers))
        self.hovers.append((hover, renderers[0].data_source))


def state_of(experiment: Experiment) -> str:
    """One word for all runs of an experiment: what still goes on, else what went wrong, else ``done``."""
    if experiment.unfinished:
        states = {run.state for run in experiment.unfinished}
        return str(next(state for state in reversed(RunState) if state in states))
    if experiment.broken:
        return str(experiment.broken[0].state)
    return str(experiment.runs[0].state) if len({run.state for run in experiment.runs}) == 1 else str(RunState.DONE)


def preset_of(experiment: Experiment) -> str:
    """The reward preset of an experiment; its task where that has none."""
    value = experiment.overrides.get(PRESET, default_values(experiment.plan.task).get(PRESET))
    return experiment.plan.task if value is None else str(value)
