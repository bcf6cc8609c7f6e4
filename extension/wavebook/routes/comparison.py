"""The interactive comparison of waves: as Bokeh's JSON, its curves in detail, and as one file to share."""

from __future__ import annotations

import gc
import json
import math
from functools import cache

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.routes.base import RefusedError, RouteHandler
from wavebook_tools.errors import UsageError
from wavebook_tools.records.project import Project

MOST_METRICS = 64
MOST_NUMBERS = 60_000
"""What one answer with detail may hold, so that a zoom is drawn at once."""


def comparison(project: Project, wave_ids: list[int]) -> str:
    """The comparison's document as JSON. Bokeh's own travels as a text, because it depends on the order of its keys."""
    _import_drawing()
    from wavebook_tools.comparison import comparison_item

    for wave_id in wave_ids:
        project.wave(wave_id)
    item = comparison_item(project, wave_ids, live=True)
    listed = ", ".join(map(str, wave_ids))
    title = f"Wave {listed}" if len(wave_ids) == 1 else f"Waves {listed}"
    return json.dumps({"item": json.dumps(item), "title": title})


def detail(project: Project, wave_ids: list[int], metrics: list[str], window: tuple[float, float] | None) -> str:
    """Curves of some metrics, finer than a whole comparison carries them; as JSON.

    Raises:
        UsageError: No such metric was recorded.
    """
    from wavebook_tools.comparison.curves import curve, metric_names
    from wavebook_tools.comparison.data import collect

    experiments = collect(project, wave_ids).experiments
    known = metric_names(experiments)
    for metric in metrics:
        if metric not in known:
            listed = ", ".join(known[:8]) or "none"
            raise UsageError(f"metric {metric[:80]!r} was not recorded by these waves; there are {listed}")
    points = max(40, min(1000, MOST_NUMBERS // max(1, 4 * len(metrics) * len(experiments))))
    curves: dict[str, dict[str, list[list[float | None]]]] = {}
    for metric in metrics:
        curves[metric] = {}
        for experiment in experiments:
            one = curve(experiment, metric, points, window=window)
            columns = [one.mean, one.low, one.high] if one.banded else [one.mean]
            curves[metric][experiment.id] = [one.x.tolist(), *(_numbers(column.tolist()) for column in columns)]
    return json.dumps({"curves": curves, "window": window}, separators=(",", ":"))


def page(project: Project, wave_ids: list[int]) -> str:
    """The comparison as one HTML file that needs nothing else."""
    _import_drawing()
    from wavebook_tools.comparison import comparison_page

    for wave_id in wave_ids:
        project.wave(wave_id)
    return comparison_page(project, wave_ids)


class WavesHandler(RouteHandler):
    """What is asked for some waves."""

    def waves(self) -> list[int]:
        """The waves that the query names, each once.

        Raises:
            RefusedError: It names none, or what is no number.
        """
        listed = self.get_query_argument("waves", "")
        wave_ids = [self.number("waves", part.strip()) for part in listed.split(",") if part.strip()]
        if not wave_ids:
            raise RefusedError(UsageError("name the waves to compare: comparison?waves=1,2"))
        return list(dict.fromkeys(wave_ids))

    def finish_json(self, text: str) -> None:
        """Answer JSON that a thread has written already: a megabyte would hold the event loop up."""
        self.finish(text.encode(), set_content_type="application/json")


class ComparisonHandler(WavesHandler):
    """The comparison of some waves."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.finish_json(await self.work(comparison, self.app.project, self.waves()))


class DetailHandler(WavesHandler):
    """Curves of some waves in detail."""

    @authenticated
    @authorized
    async def get(self) -> None:
        metrics = list(dict.fromkeys(self.get_query_arguments("metric")))
        if not 1 <= len(metrics) <= MOST_METRICS:
            raise RefusedError(UsageError(f"name 1 to {MOST_METRICS} metrics: comparison/curves?waves=1&metric=NAME"))
        limits = [self.get_query_argument(name, None) for name in ("from", "to")]
        window = None
        if any(limit is not None for limit in limits):
            first, last = (self._limit(name, text) for name, text in zip(("from", "to"), limits, strict=True))
            window = (min(first, last), max(first, last))
        self.finish_json(await self.work(detail, self.app.project, self.waves(), metrics, window))

    def _limit(self, name: str, text: str | None) -> float:
        try:
            number = float(text or "")
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise RefusedError(UsageError(f"{name}: {(text or '')[:40]!r} is no iteration; give both from and to"))
        return number


class PageHandler(WavesHandler):
    """The comparison as a file to share."""

    @authenticated
    @authorized
    async def get(self) -> None:
        wave_ids = self.waves()
        text = await self.work(page, self.app.project, wave_ids)
        self.set_header("Content-Disposition", f'attachment; filename="comparison-{"-".join(map(str, wave_ids))}.html"')
        self.finish(text.encode(), set_content_type="text/html; charset=utf-8")


@cache
def _import_drawing() -> None:
    """Import what draws: Bokeh takes half a second, and a server that shows no comparison does without.

    It stays as long as the server. Left to the garbage collector, its 80 000 objects would be walked by every full
    collection, of which drawing causes some, and the event loop would stand still meanwhile.
    """
    import wavebook_tools.comparison.page  # noqa: F401

    gc.freeze()


def _numbers(values: list[float]) -> list[float | None]:
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values]


ROUTES = [("comparison", ComparisonHandler), ("comparison/curves", DetailHandler), ("comparison/page", PageHandler)]
