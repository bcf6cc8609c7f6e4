"""Tables as plain, accessible HTML: a caption, header cells with a scope, numbers aligned, everything escaped."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from pydantic import BaseModel

from wavebook_tools.metrics.quantities import format_number, quantity

ABSENT = "–"

# Inline, because JupyterLab drops style elements from outputs; the colours follow its theme.
_CELL = "padding:3px 10px;border-bottom:1px solid var(--jp-border-color2,#8884);vertical-align:top;"
_WIDE = "min-width:9em;"  # a long name is broken into lines, but not into syllables
_TABLE = "border-collapse:collapse;margin:4px 0 12px;font-size:13px;color:inherit;"
_CAPTION = "caption-side:top;text-align:left;font-weight:600;padding:4px 10px 4px 0;color:inherit;"


@dataclass(frozen=True)
class Table:
    """Rows for human eyes; the last expression of a cell, or shown by ``show``."""

    columns: tuple[str, ...]
    """Keys of the rows, in the order of the columns."""
    rows: tuple[Mapping[str, Any], ...]
    caption: str = ""
    headers: Mapping[str, str] | None = None
    """Header texts by column, where a key does not speak for itself."""
    numeric: tuple[str, ...] = ()
    """Columns of formatted numbers; columns of numbers are found."""
    short: tuple[str, ...] = ()
    """Columns that are not broken into lines."""

    def header(self, column: str) -> str:
        """What stands above a column."""
        text = (self.headers or {}).get(column)
        return text if text is not None else column.replace("_", " ")

    def html(self) -> str:
        """The table as HTML."""
        if not self.rows:
            return f"<p>{escape(self.caption)}: none</p>" if self.caption else "<p>none</p>"
        found = {c for c in self.columns if all(_is_number(row.get(c)) or row.get(c) is None for row in self.rows)}
        numeric = found | set(self.numeric)
        caption = f'<caption style="{_CAPTION}">{escape(self.caption)}</caption>' if self.caption else ""
        head = "".join(self._head(column, numeric) for column in self.columns)
        body = "".join(f"<tr>{''.join(self._cells(row, numeric))}</tr>" for row in self.rows)
        return (
            f'<div style="overflow-x:auto"><table style="{_TABLE}">{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def text(self) -> str:
        """The table as text, for a terminal."""
        lines = [[self.header(c) for c in self.columns]]
        lines += [[format_value(row.get(c)) for c in self.columns] for row in self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        ruled = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join(([self.caption] if self.caption else []) + [line.rstrip() for line in ruled])

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def _head(self, column: str, numeric: set[str]) -> str:
        text = self.header(column)
        style = _CELL + _align(column, numeric) + (_WIDE if len(text) > 18 else "")
        return f'<th scope="col" style="{style}">{_breakable(escape(text))}</th>'

    def _cells(self, row: Mapping[str, Any], numeric: set[str]) -> list[str]:
        cells = []
        for position, column in enumerate(self.columns):
            text = escape(format_value(row.get(column)))
            wrap = "white-space:nowrap;" if column in self.short else ""
            style = f'style="{_CELL}{_align(column, numeric)}{wrap}"'
            if position == 0:
                cells.append(f'<th scope="row" {style[:-1]}font-weight:normal;">{text}</th>')
            else:
                cells.append(f"<td {style}>{text}</td>")
        return cells


def table(
    rows: Sequence[Mapping[str, Any]] | Mapping[str, Any],
    caption: str = "",
    *,
    columns: Sequence[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Table:
    """A table from rows, or from one mapping as a table of names and values.

    Args:
        rows: A sequence of mappings, one a row; or one mapping: a nested one becomes dotted names.
        caption: What the table shows; also its name for a screen reader.
        columns: Which keys to show, in this order; all keys in order of appearance where absent.
        headers: Header texts by key, for units and for keys that do not speak for themselves.
    """
    if isinstance(rows, Mapping):
        rows = [{"name": name, "value": value} for name, value in _flat(rows)]
    if columns is None:
        columns = list(dict.fromkeys(key for row in rows for key in row))
    return Table(tuple(columns), tuple(rows), caption, headers)


def result_table(result: BaseModel | Mapping[str, Any], caption: str = "Fixed evaluation") -> Table:
    """What the evaluation measured, each number with its unit; the terrains follow the whole.

    Args:
        result: A ``RunResult`` or the dict that result.json holds.
        caption: The table's caption.
    """
    data: Mapping[str, Any] = result.model_dump() if isinstance(result, BaseModel) else result
    rows = []
    for name, value in data.items():
        if _is_number(value) and name not in ("format", "seed"):
            known = quantity(name)
            rows.append({"quantity": known.label, "value": value, "unit": known.unit, "key": name})
    for terrain, measured in (data.get("per_terrain") or {}).items():
        for name, value in measured.items():
            if _is_number(value):
                known = quantity(name)
                rows.append({"quantity": f"{terrain}: {known.label}", "value": value, "unit": known.unit, "key": name})
    return Table(("quantity", "value", "unit", "key"), tuple(rows), caption, {"key": "in result.json"})


def format_value(value: Any) -> str:
    """A value as a table shows it: floats with four digits, nothing as a dash, containers as JSON."""
    if value is None:
        return ABSENT
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, dict | list | tuple):
        if not value:
            return ABSENT
        return json.dumps(_rounded(value), ensure_ascii=False, default=str)
    return str(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _breakable(name: str) -> str:
    # A dotted name is one long word; a column of one-digit numbers must not be as wide as its name.
    return name.replace(".", ".<wbr>").replace("_", "_<wbr>")


def _align(column: str, numeric: set[str]) -> str:
    return "text-align:right;font-variant-numeric:tabular-nums;" if column in numeric else "text-align:left;"
