"""``GET /wavebook/bokeh/{file}``: BokehJS of the installed bokeh, so that plots draw without a network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, StaticFileHandler, authenticated

from wavebook.routes.base import AUTH_RESOURCE

FILES = ("bokeh.min.js", "bokeh-gl.min.js", "bokeh-widgets.min.js", "bokeh-tables.min.js")


def scripts() -> Path:
    """Where the installed bokeh keeps BokehJS; found without importing bokeh."""
    spec = find_spec("bokeh")
    assert spec is not None, "a dependency"
    assert spec.origin is not None, "a dependency"
    return Path(spec.origin).parent / "server" / "static" / "js"


class BokehHandler(JupyterHandler, StaticFileHandler):
    """BokehJS."""

    auth_resource = AUTH_RESOURCE

    @authenticated
    @authorized
    async def get(self, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        await self._serve(path, include_body)

    @authenticated
    @authorized
    async def head(self, path: str) -> None:  # type: ignore[override]
        await self._serve(path, include_body=False)

    async def _serve(self, path: str, include_body: bool) -> None:
        if path not in FILES:
            raise HTTPError(404, f"{path} is no file of BokehJS; there are {', '.join(FILES)}")
        await StaticFileHandler.get(self, path, include_body)

    def set_extra_headers(self, path: str) -> None:
        """Let the browser keep the file and ask whether it changed."""
        self.set_header("Cache-Control", "private, no-cache")


ROUTES: list[tuple[Any, ...]] = [(r"/wavebook/bokeh/(.*)", BokehHandler, {"path": str(scripts())})]
