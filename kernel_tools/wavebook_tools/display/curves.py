"""Curves that move while a notebook trains."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import ColumnDataSource, CrosshairTool, Range1d
from bokeh.models.annotations import Span
from IPython.display import display

from wavebook_tools.display.output import bokeh_bundle, in_notebook
from wavebook_tools.display.style import PALETTE, add_hover, make_figure, style_sheet
from wavebook_tools.display.svg import Panel, Series, curves_image
from wavebook_tools.metrics.history import Floats
from wavebook_tools.metrics.quantities import by_preference, format_number, quantity
from wavebook_tools.metrics.thinning import thin_indices

PANELS = 4
POINTS = 500
DUTY = 0.01
"""Share of the wall time that drawing may take: a slow machine draws less often, never trains slower."""
X_TITLE = "Training iteration [–]"


class LiveCurves:
    """The curves of one training, redrawn in place in the output of the cell that made it.

    While the training runs a small picture is redrawn, at most every ``seconds`` and never for more than one percent
    of the time. ``close`` replaces it by the interactive figure with the picture beside it, so that only the final
    state is saved. Outside a notebook nothing is drawn.

    Use it as a context manager, or call ``close`` at the end::

        with LiveCurves(iterations=spec.iterations) as curves:
            train(config, ..., on_iteration=curves.update)
    """

    def __init__(
        self, metrics: Sequence[str] | None = None, *, iterations: int | None = None, seconds: float = 1.5
    ) -> None:
        """Show an empty frame.

        Args:
            metrics: Names to draw, as rsl_rl logs them; where absent, the four that tell most of those logged.
            iterations: How many iterations the training has, for the text beside the curves.
            seconds: Least time between two drawings [s].
        """
        self._metrics = tuple(metrics) if metrics is not None else None
        self._total = iterations
        self._seconds = seconds
        self._iterations: list[int] = []
        self._values: dict[str, list[float]] = {}
        self._next_drawing = 0.0
        self._warm = False
        self._handle: Any = None
        self._closed = False
        if in_notebook():
            waiting = "Waiting for the first iteration."
            bundle = {"text/plain": waiting, "text/html": f"<p>{waiting}</p>"}
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def update(self, iteration: int, values: Mapping[str, float | None]) -> None:
        """Take in one iteration's metrics; cheap, so call it every iteration.

        Args:
            iteration: Number of the iteration, from 0. Going back, as a resumed training does, drops what was later.
            values: Numbers by rsl_rl's names; others may come in later iterations.
        """
        while self._iterations and self._iterations[-1] >= iteration:
            self._iterations.pop()
            for column in self._values.values():
                column.pop()
        self._iterations.append(iteration)
        for name in values.keys() - self._values.keys():
            if self._metrics is None or name in self._metrics:
                self._values[name] = [math.nan] * (len(self._iterations) - 1)
        for name, column in self._values.items():
            value = values.get(name)
            column.append(math.nan if value is None else float(value))
        now = time.perf_counter()
        if self._handle is not None and now >= self._next_drawing:
            self._draw()
            took = time.perf_counter() - now
            # The first drawing warms up what it uses; its time says nothing about the next ones.
            self._next_drawing = now + max(self._seconds, took / DUTY if self._warm else 0.0)
            self._warm = True

    def close(self) -> None:
        """Draw the final state, interactive where Wavebook's renderer is there; closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        if self._handle is not None and self._iterations:
            self._handle.update(self.bundle(), raw=True)

    def __enter__(self) -> LiveCurves:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def shown(self) -> list[str]:
        """Names of the metrics that are drawn."""
        if self._metrics is not None:
            return [name for name in self._metrics if name in self._values]
        return by_preference(set(self._values))[:PANELS]

    def text(self) -> str:
        """The newest values in words."""
        if not self._iterations:
            return "no iteration yet"
        total = f" of {self._total}" if self._total else ""
        numbers = (
            f"{quantity(name).label} {format_number(self._values[name][-1])}"
            f"{' ' + quantity(name).unit if quantity(name).unit != '–' else ''}"
            for name in self.shown
            if math.isfinite(self._values[name][-1])
        )
        return "; ".join([f"Iteration {self._iterations[-1] + 1}{total}", *numbers])

    def bundle(self) -> dict[str, Any]:
        """The final MIME bundle: interactive figure, picture and text."""
        return bokeh_bundle(self._figure(), html=self._picture(), text=self.text())

    def _draw(self) -> None:
        self._handle.update({"text/html": self._picture(), "text/plain": self.text()}, raw=True)

    def _columns(self) -> tuple[Floats, dict[str, Floats]]:
        return np.array(self._iterations, float), {name: np.array(self._values[name]) for name in self.shown}

    def _picture(self) -> str:
        x, columns = self._columns()
        panels = [Panel(quantity(name).title, (Series(x, y),)) for name, y in columns.items()]
        return curves_image(panels, x_title=X_TITLE, description=self.text())

    def _figure(self) -> Any:
        x, columns = self._columns()
        x_range = Range1d(start=float(x[0]), end=float(max(x[-1], x[0] + 1)), bounds="auto")
        cross = Span(dimension="height", line_color="#7f7f7f", line_dash="dotted")
        plots: list[Any] = []
        for name, y in columns.items():
            known = np.flatnonzero(np.isfinite(y))
            kept = known[thin_indices(y[known], POINTS)]
            source = ColumnDataSource({"x": x[kept].astype(np.int32), "y": y[kept].astype(np.float32)})
            plot = make_figure(quantity(name).label, X_TITLE, quantity(name).axis, height=230, x_range=x_range)
            line = plot.line("x", "y", source=source, line_width=1.8, line_color=PALETTE[0])
            add_hover(plot, [("iteration", "@x"), (quantity(name).label, "@y{0.0000}")], renderers=[line], mode="vline")
            plot.add_tools(CrosshairTool(overlay=cross))
            plots.append(plot)
        grid = gridplot(plots, ncols=2, sizing_mode="stretch_width", toolbar_options={"autohide": True})
        grid.toolbar.logo = None
        grid.stylesheets = [style_sheet()]
        return grid
