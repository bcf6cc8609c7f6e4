"""``GET /wavebook/replay/player.js``: what shows replays, so that they need no network."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from wavebook.routes.scripts import ScriptHandler

ROUTES: list[tuple[Any, ...]] = [
    (
        r"/wavebook/replay/(.*)",
        ScriptHandler,
        {"path": str(files("wavebook_tools") / "replay" / "static"), "names": ("player.js",)},
    )
]
