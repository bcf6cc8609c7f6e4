"""The routes of docs/server-api.md, one file a resource."""

from __future__ import annotations

from typing import Any

from wavebook.routes import (
    approvals,
    base,
    bokeh,
    chat,
    comparison,
    gpus,
    night,
    project,
    queue,
    replay,
    requests,
    runs,
    templates,
    waves,
)


def handlers() -> list[tuple[Any, ...]]:
    """All routes, as the server takes them: pattern and handler. The last answers what is none."""
    resources = (project, gpus, waves, runs, queue, comparison, chat, approvals, requests, templates, night)
    routes = [(rf"/wavebook/api/{pattern}", handler) for part in resources for pattern, handler in part.ROUTES]
    return [*routes, *bokeh.ROUTES, *replay.ROUTES, (r"/wavebook/api(?:/.*)?", base.NoSuchRoute)]
