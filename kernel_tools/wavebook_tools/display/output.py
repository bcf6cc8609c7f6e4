"""How a figure gets into a notebook: as data for JupyterLab's Wavebook renderer, with a picture for everyone else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.embed import json_item
from bokeh.model import Model
from IPython.core.getipython import get_ipython
from IPython.display import display

from wavebook_tools.display.tables import Table, table

BOKEH_MIME = "application/vnd.wavebook.bokeh+json"
"""MIME type of an interactive figure: ``{"item": JSON text of bokeh.embed.json_item}``. Wavebook's server extension
brings BokehJS and the renderer; no other extension is needed, and no network."""


def bokeh_bundle(model: Model, *, html: str, text: str, trusted: Model | None = None) -> dict[str, Any]:
    """The MIME bundle of an interactive figure.

    Args:
        model: What Bokeh draws. Outputs must stay useful where scripts are refused, so it should hold no CustomJS.
        html: What a viewer without Wavebook's renderer shows.
        text: What a terminal shows.
        trusted: What is drawn instead in a notebook that its reader trusts; this may hold CustomJS.
    """
    # The item travels as a text, because notebooks sort keys on saving and Bokeh's JSON depends on their order.
    models = {"item": model} if trusted is None else {"item": model, "trusted": trusted}
    items = {key: json.dumps(json_item(m), separators=(",", ":"), allow_nan=False) for key, m in models.items()}
    return {BOKEH_MIME: items, "text/html": html, "text/plain": text}


def in_notebook() -> bool:
    """Whether an IPython shell is there to show something."""
    return get_ipython() is not None  # type: ignore[no-untyped-call]


def show(*things: Any, caption: str = "") -> None:
    """Show tables, figures and whatever else IPython can display; mappings and lists of mappings become tables.

    Args:
        things: What to show, in this order.
        caption: Caption of the things that become tables here.
    """
    for thing in things:
        if isinstance(thing, Mapping) or (
            isinstance(thing, Sequence) and len(thing) > 0 and all(isinstance(row, Mapping) for row in thing)
        ):
            thing = table(thing, caption)
        if in_notebook():
            display(thing)  # type: ignore[no-untyped-call]
        else:
            print(thing.text() if isinstance(thing, Table) else thing)
