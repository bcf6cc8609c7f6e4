"""Clicks that see what was typed before them.

A click and the text typed before it are messages of two widgets. While cells are executed the front end holds texts
back and sends clicks at once, and a kernel with subshells may take the two up in different threads. So a click is
answered by the loop that made its panel, a moment later, when what was typed has arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import ipywidgets  # type: ignore[import-untyped]

DELAY = 0.3
"""How long a click waits for what was typed before it [s]."""


def button(
    label: str, tooltip: str, act: Callable[[], None], *, style: str = "", layout: dict[str, str] | None = None
) -> Any:
    """A button whose click is answered in order.

    Args:
        act: What a click does; it runs in the loop that called this function, or at once where there is none.
        style: ipywidgets' name of a colour.
    """
    made: Any = ipywidgets.Button(description=label, tooltip=tooltip, button_style=style, layout=layout or {})
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # not in a kernel
        made.on_click(lambda _: act())
        return made
    made.on_click(lambda _: loop.call_soon_threadsafe(loop.call_later, DELAY, act))
    return made
