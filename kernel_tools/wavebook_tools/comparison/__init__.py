"""Runs side by side: what differs, by how much, and whether that is more than chance.

Drawing needs bokeh, judging does not: the modules that draw are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavebook_tools.comparison.verdict import Verdict, verdicts

if TYPE_CHECKING:
    from wavebook_tools.comparison.notebook import compare
    from wavebook_tools.comparison.page import comparison_item, comparison_page, write_comparison
    from wavebook_tools.comparison.report import write_report

_DRAWING = {
    "compare": "notebook",
    "comparison_item": "page",
    "comparison_page": "page",
    "write_comparison": "page",
    "write_report": "report",
}

__all__ = ["Verdict", "compare", "comparison_item", "comparison_page", "verdicts", "write_comparison", "write_report"]


def __getattr__(name: str) -> Any:
    if name in _DRAWING:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_DRAWING[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
