"""``GET /wavebook/bokeh/{file}``: BokehJS of the installed bokeh, so that plots draw without a network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wavebook.routes.scripts import ScriptHandler

FILES = ("bokeh.min.js", "bokeh-gl.min.js", "bokeh-widgets.min.js", "bokeh-tables.min.js")


def scripts() -> Path:
    """Where the installed bokeh keeps BokehJS; found without importing bokeh."""
    spec = find_spec("bokeh")
    assert spec is not None, "a dependency"
    assert spec.origin is not None, "a dependency"
    return Path(spec.origin).parent / "server" / "static" / "js"


ROUTES: list[tuple[Any, ...]] = [(r"/wavebook/bokeh/(.*)", ScriptHandler, {"path": str(scripts()), "names": FILES})]
