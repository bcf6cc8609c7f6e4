"""The comparison as the output of a notebook's cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from IPython.display import display

from wavebook_tools.comparison import final_metrics, learning_curves
from wavebook_tools.comparison.curves import curve
from wavebook_tools.comparison.data import Comparison, collect
from wavebook_tools.comparison.linked import curve_styles
from wavebook_tools.comparison.overview import overview_html, ranked, verdict_table
from wavebook_tools.comparison.page import comparison_figures, comparison_layout, title
from wavebook_tools.comparison.verdict import judge_all
from wavebook_tools.display.output import bokeh_bundle
from wavebook_tools.display.svg import Panel, Series, curves_image
from wavebook_tools.errors import UsageError
from wavebook_tools.metrics.quantities import by_preference, quantity
from wavebook_tools.records.project import Project

PICTURED = 4
POINTS = 150
MOST_LINES = 12  # a picture that nobody can zoom shows no more


def compare(*waves_or_paths: int | str | Path, project: Project | Path | str | None = None) -> ComparisonOutput:
    """Compare waves, as the last expression of a cell: ``compare(1, 2)``, ``compare("waves/001-tracking")``.

    The figure is interactive where Wavebook's extension is installed; elsewhere a table and a picture are shown.

    Args:
        waves_or_paths: Numbers or folders of waves; a folder inside a wave, or the name of an experiment such as
            ``exp003``, compares those experiments only. Nothing: all waves.
        project: The project or its folder; where absent, the one that the working directory lies in.

    Raises:
        UsageError: Something named is neither a wave nor an experiment.
        NotFoundError: There is no such wave or project.
        WavebookError: A wave.json is damaged.
    """
    if not isinstance(project, Project):
        project = Project.find(Path(project) if project is not None else Path.cwd())
    waves, experiments = _named(project, waves_or_paths)
    return ComparisonOutput(collect(project, waves, experiments=experiments or None))


class ComparisonOutput:
    """A comparison as the value of a cell: text and table as HTML, below them the figures."""

    def __init__(self, comparison: Comparison) -> None:
        verdicts = judge_all(comparison)
        experiments = ranked(comparison.experiments, verdicts)
        self.text = f"{title(comparison)}\n{verdict_table(experiments, verdicts).text()}"
        self._comparison = comparison

    @cached_property
    def bundles(self) -> list[dict[str, Any]]:
        """MIME bundles in the order of their outputs, drawn when they are first asked for."""
        comparison = self._comparison
        verdicts = judge_all(comparison)
        experiments = ranked(comparison.experiments, verdicts)
        figures = comparison_figures(comparison)
        explained = f"<p>{final_metrics.EXPLANATION}</p><p>{learning_curves.EXPLANATION}</p>" if figures else ""
        bundles: list[dict[str, Any]] = [
            {"text/html": overview_html(comparison, experiments, verdicts) + explained, "text/plain": self.text}
        ]
        if figures is not None:
            picture = _picture(comparison)
            bundles.append(
                bokeh_bundle(
                    figures,
                    html=picture,
                    text="Figures of the comparison",
                    trusted=comparison_layout(comparison, overview=False),
                )
            )

        return bundles

    def _ipython_display_(self) -> None:
        for bundle in self.bundles:
            display(bundle, raw=True)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return self.text


def _picture(comparison: Comparison) -> str:
    experiments = comparison.experiments[:MOST_LINES]
    styles = curve_styles(comparison.experiments)
    names = by_preference({name for e in experiments for run in e.runs for name in run.history.values})[:PICTURED]
    if not names:
        return ""
    panels = []
    for name in names:
        curves = [(experiment, curve(experiment, name, POINTS)) for experiment in experiments]
        panels.append(
            Panel(
                quantity(name).title,
                tuple(Series(c.x.astype(float), c.mean, styles[e.id][0], e.label) for e, c in curves),
            )
        )
    left_out = len(comparison.experiments) - len(experiments)
    note = f"<p>{left_out} more experiments are in the interactive comparison.</p>" if left_out else ""
    shown = ", ".join(quantity(name).label for name in names)
    described = f"Learning curves of {len(experiments)} experiments: {shown}"
    return curves_image(panels, x_title="training iteration", description=described) + note


def _named(project: Project, named: Sequence[int | str | Path]) -> tuple[list[int], list[str]]:
    if not named:
        return [wave.id for wave in project.waves()], []
    waves: list[int] = []
    experiments: list[str] = []
    for one in named:
        wave, experiment = (one, "") if isinstance(one, int) else _wave_of(project, str(one))
        waves.append(wave)
        if experiment:
            experiments.append(experiment)
        else:
            experiments += [spec.id for spec in project.wave(wave).plan().experiments]
    return waves, experiments


def _wave_of(project: Project, text: str) -> tuple[int, str]:
    if text.isdigit():
        return project.wave(int(text)).id, ""
    for wave in project.waves():
        if text.partition("/")[0] in {spec.id for spec in wave.plan().experiments}:
            return wave.id, text.partition("/")[0]
    path = next((p for p in (Path.cwd() / text, project.root / text) if p.exists()), project.root / text).resolve()
    parts = path.relative_to(project.waves_path).parts if path.is_relative_to(project.waves_path) else ()
    if not parts or not parts[0].partition("-")[0].isdigit() or not path.exists():
        raise UsageError(
            f"{text!r} is neither a wave nor an experiment of {project.root}; name a wave's number, its folder as "
            "'waves/001-…', or an experiment as 'exp001'"
        )
    wave_id = project.wave(int(parts[0].partition("-")[0])).id
    return wave_id, parts[1].partition("-")[0] if len(parts) > 1 and parts[1].startswith("exp") else ""
