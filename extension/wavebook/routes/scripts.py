"""Scripts that are files of installed packages, for the browser."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, StaticFileHandler, authenticated

from wavebook.routes.base import AUTH_RESOURCE


class ScriptHandler(JupyterHandler, StaticFileHandler):
    """The files of a folder that are named, and no others."""

    auth_resource = AUTH_RESOURCE

    def initialize(self, path: str, names: tuple[str, ...], **more: Any) -> None:  # type: ignore[override]
        super().initialize(path=path, **more)
        self._names = names

    @authenticated
    @authorized
    async def get(self, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        await self._serve(path, include_body)

    @authenticated
    @authorized
    async def head(self, path: str) -> None:  # type: ignore[override]
        await self._serve(path, include_body=False)

    async def _serve(self, path: str, include_body: bool) -> None:
        if path not in self._names:
            raise HTTPError(404, f"there is no script {path}; there are {', '.join(self._names)}")
        await StaticFileHandler.get(self, path, include_body)

    def set_extra_headers(self, path: str) -> None:
        """Let the browser keep the file and ask whether it changed."""
        self.set_header("Cache-Control", "private, no-cache")
