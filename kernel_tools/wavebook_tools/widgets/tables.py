"""The panels' tables as HTML that needs neither script nor style sheet: it is live, and it is the picture in the file.

Colours are JupyterLab's variables with a value for everyone else. What comes from records is escaped: it is untrusted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from wavebook_tools.jobs.devices import CPU, Device
from wavebook_tools.metrics.quantities import NO_UNIT, by_preference, format_number, quantity
from wavebook_tools.widgets.reading import Reading

KEY_METRICS = {
    "error_vel_xy": "velocity error",
    "Metrics/error_vel_xy": "velocity error in training",
    "Train/mean_reward": "reward",
}
"""The metric that tells most of a velocity policy, in few words: the evaluation's, else the training's."""

_CELL = "padding:3px 10px;border-bottom:1px solid var(--jp-border-color2,#8884);text-align:left;vertical-align:middle;"
_NUMBER = _CELL.replace("text-align:left", "text-align:right") + "font-variant-numeric:tabular-nums;white-space:nowrap;"
_SHORT = _CELL + "white-space:nowrap;"
_TABLE = (
    "border-collapse:collapse;margin:2px 0 6px;font-size:13px;line-height:1.4;color:var(--jp-ui-font-color1,inherit);"
)
_CAPTION = "caption-side:top;text-align:left;font-weight:600;padding:4px 10px 4px 0;color:inherit;"
_QUIET = "color:var(--jp-ui-font-color2,#666);"
_BAR = "width:80px;height:10px;vertical-align:middle;accent-color:var(--jp-brand-color1,#1976d2);"
_COLUMNS = ("run", "state", "iterations", "left", "device", "key metric")
_COLOURS = {
    "starting": "var(--jp-info-color0,#0277bd)",
    "running": "var(--jp-info-color0,#0277bd)",
    "evaluating": "var(--jp-info-color0,#0277bd)",
    "done": "var(--jp-success-color0,#2e7d32)",
    "failed": "var(--jp-error-color0,#c62828)",
    "hung": "var(--jp-error-color0,#c62828)",
    "cancelled": "var(--jp-warn-color0,#a65c00)",
}


def device_table(reading: Reading, project: str) -> str:
    """The devices, their load and memory, and who is on them.

    Args:
        project: The project's root, to name its own runs shortly.
    """
    columns = ["device", "load", "memory", "held by"]
    others = any(device.foreign for device in reading.devices)
    rows = []
    for device in reading.devices:
        cells = [
            _head(f"{device.title} · {device.name}" if device.kind == "gpu" else device.name),
            _cell(_share(device.utilisation, 100, f"{device.utilisation} %"), _SHORT),
            _cell(_memory(device), _SHORT),
            _cell(escape(_holders(device, project)) or f'<span style="{_QUIET}">free</span>'),
        ]
        if others:
            cells.append(_cell(escape(", ".join(reading.processes[pid] for pid in device.foreign))))
        rows.append(cells)
    return _table("Devices", [*columns, "other processes"] if others else columns, rows) + _problems(reading)


def queue_table(reading: Reading, now: float | None = None) -> str:
    """The runs: those under way, the next that wait and the last that ended."""
    return _queue_table(reading, int(time.time() if now is None else now))


@lru_cache(maxsize=4)  # many panels show the same
def _queue_table(reading: Reading, now: int) -> str:
    shown = (*reading.live, *reading.queued)
    rows = [row for run in shown for row in _run_rows(run, reading.labels, now)]
    more = reading.counts.get("queued", 0) - sum(run["state"] == "queued" for run in shown)
    if more > 0:
        rows.append((_wide(f"… and {more} more that wait"),))
    rows += [row for run in reading.ended for row in _run_rows(run, reading.labels, now)]
    if not rows:
        return f"<p>No runs yet.</p>{_problems(reading)}"
    return _table(f"Runs: {_counted(reading)}", _COLUMNS, rows) + _problems(reading)


def name_table(caption: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    return _table(caption, ("field", "value"), [(_head(name), _cell(escape(value))) for name, value in pairs])


def queue_text(reading: Reading) -> str:
    """The runs under way and the numbers of the others, for a terminal."""
    lines = [f"{run['id']}  {run['state']}  {run['iteration']}/{run['iterations']}" for run in reading.live]
    return "\n".join([f"Runs: {_counted(reading) or 'none yet'}", *lines])


def device_text(reading: Reading) -> str:
    """The devices, for a terminal."""
    lines = [f"{d.title}  {d.name}  {', '.join(d.holders) or 'free'}" for d in reading.devices]
    return "\n".join(["Devices:", *lines])


def duration(seconds: float) -> str:
    """A time for people: «42 s», «3 min», «2.1 h»."""
    seconds = max(0.0, seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def message(text: str, *, error: bool = False) -> str:
    """What a panel says below its buttons."""
    if not text:
        return ""
    colour = _COLOURS["failed"] if error else "var(--jp-ui-font-color1,inherit)"
    lines = "<br>".join(escape(line) for line in text.splitlines())
    return f'<div role="{"alert" if error else "status"}" style="color:{colour};line-height:1.4">{lines}</div>'


def _counted(reading: Reading) -> str:
    return ", ".join(f"{count} {state}" for state, count in reading.counts.items())


def _devices(run: dict[str, Any], labels: dict[str, str]) -> str:
    """Short names of a run's devices; those of another machine by the name that its result has for them."""
    ids = [name for name in (run["device"] or "").split(",") if name]
    if run["device_name"] and CPU not in ids and not any(name in labels for name in ids):
        return run["device_name"] if len(ids) == 1 else f"{len(ids)} × {run['device_name']}"
    return ", ".join(labels.get(name, name[:12]) for name in ids)


def _run_rows(run: dict[str, Any], labels: dict[str, str], now: float) -> list[tuple[str, ...]]:
    doing = run["phase"] if run["state"] == "running" and run["phase"] else run["state"]
    if run["priority"]:
        doing += f" (priority {run['priority']:+d})"
    devices = _devices(run, labels)
    colour = _COLOURS.get(run["state"], "inherit")
    note = run["message"] or ""
    cells = (
        _head(run["id"]),
        _cell(f'<span style="color:{colour}">{escape(doing)}</span>', _SHORT),
        _cell(_progress(run), _SHORT),
        _cell(_left(run, now), _NUMBER),
        _cell(escape(devices), _SHORT),
        _cell(escape(_metric(run["metrics"])), _SHORT),
    )
    if not note:
        return [cells]
    # On a line of its own: a sentence in a narrow column would make every row tall.
    return [
        tuple(cell.replace("border-bottom:1px", "border-bottom:0", 1) for cell in cells),
        (_wide(note[:300]),),
    ]


def _progress(run: dict[str, Any]) -> str:
    text = f"{run['iteration']}/{run['iterations']}"
    if run["state"] == "queued":
        return f'<span style="{_QUIET}">{run["iterations"]}</span>'
    return _share(run["iteration"], run["iterations"], text)


def _share(value: int | None, of: int, text: str) -> str:
    if value is None:
        return f'<span style="{_QUIET}">not told</span>'
    bar = f'<progress value="{value}" max="{max(of, 1)}" style="{_BAR}" aria-label="{escape(text)}"></progress>'
    return f'{bar} <span style="font-variant-numeric:tabular-nums">{escape(text)}</span>'


def _left(run: dict[str, Any], now: float) -> str:
    if run["ended"]:
        if run["started"] is None:  # cancelled while it waited
            return ""
        return f'<span style="{_QUIET}">took {duration(run["ended"] - run["started"])}</span>'
    if run["started"] is None:
        start = run["estimated_start"]
        return "" if start is None else f'<span style="{_QUIET}">starts in {duration(start - now)}</span>'
    if run["estimated_end"] is not None:
        return duration(run["estimated_end"] - now)
    if not run["iteration"]:
        return ""
    # No earlier run tells; the pace so far does, the evaluation left out.
    pace = (now - run["started"]) / run["iteration"]
    return f"≈ {duration(pace * (run['iterations'] - run['iteration']))}"


def _metric(metrics: dict[str, float]) -> str:
    names = [name for name in KEY_METRICS if name in metrics] or by_preference(set(metrics))
    if not names:
        return ""
    known = quantity(names[0])
    unit = "" if known.unit == NO_UNIT else f" {known.unit}"
    return f"{KEY_METRICS.get(known.name, known.label)} {format_number(metrics[names[0]])}{unit}"


def _memory(device: Device) -> str:
    if device.memory_total is None or device.memory_used is None:
        return f'<span style="{_QUIET}">not told</span>'
    text = f"{device.memory_used / 1e9:.1f} of {device.memory_total / 1e9:.0f} GB"
    return _share(device.memory_used, device.memory_total, text)


def _holders(device: Device, project: str) -> str:
    own = f" in {project}"
    return ", ".join(holder.removesuffix(own) for holder in device.holders)


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col" style="{_SHORT}{_QUIET}font-weight:normal">{name}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f'<div style="overflow-x:auto"><table style="{_TABLE}"><caption style="{_CAPTION}">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _problems(reading: Reading) -> str:
    return "".join(message(problem, error=True) for problem in reading.problems)


def _head(text: str) -> str:
    return f'<th scope="row" style="{_SHORT}font-weight:normal">{escape(text)}</th>'


def _wide(text: str) -> str:
    return f'<td colspan="{len(_COLUMNS)}" style="{_CELL}padding-top:0;font-size:12px;{_QUIET}">{escape(text)}</td>'


def _cell(html: str, style: str = _CELL) -> str:
    return f'<td style="{style}">{html}</td>'
