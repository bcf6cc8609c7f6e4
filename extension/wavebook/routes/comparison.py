"""``GET comparison``: the interactive comparison of waves, as Bokeh's JSON."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.routes.base import RefusedError, RouteHandler
from wavebook_tools.errors import UsageError
from wavebook_tools.records.project import Project


def comparison(project: Project, wave_ids: list[int]) -> dict[str, Any]:
    """The comparison's document. Its JSON travels as a text, because Bokeh depends on the order of its keys."""
    # Bokeh takes half a second to import, and a server that shows no comparison does without.
    from wavebook_tools.comparison import comparison_item

    for wave_id in wave_ids:
        project.wave(wave_id)
    item = comparison_item(project, wave_ids)
    listed = ", ".join(map(str, wave_ids))
    return {"item": json.dumps(item), "title": f"Wave {listed}" if len(wave_ids) == 1 else f"Waves {listed}"}


class ComparisonHandler(RouteHandler):
    """The comparison of some waves."""

    @authenticated
    @authorized
    async def get(self) -> None:
        listed = self.get_query_argument("waves", "")
        wave_ids = [self.number("waves", part.strip()) for part in listed.split(",") if part.strip()]
        if not wave_ids:
            raise RefusedError(UsageError("name the waves to compare: comparison?waves=1,2"))
        self.finish(await self.work(comparison, self.app.project, list(dict.fromkeys(wave_ids))))


ROUTES = [("comparison", ComparisonHandler)]
