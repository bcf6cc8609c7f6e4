"""``read_metrics``: the training curves of a run in a few numbers."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.metrics import read_metrics

POINTS = 8


class ReadMetrics(Arguments):
    run: str = Field(max_length=60, description="As exp001/s0")
    names: list[str] = Field(default=[], max_length=20, description="Metrics; empty lists all with their last values")


def run(workspace: Workspace, arguments: ReadMetrics) -> str:
    """Names with last values, or points along some curves."""
    history = read_metrics(workspace.project.run(arguments.run).events_path)
    if not len(history):
        return f"{arguments.run} has recorded no metric yet"
    for name in arguments.names:
        if name not in history.values:
            raise UsageError(f"{arguments.run} has no metric {name!r}.{did_you_mean(name, history.values)}")
    if not arguments.names:
        lines = [f"{name}: {_last(column):.5g}" for name, column in sorted(history.values.items())]
        return f"{len(history)} iterations; last values:\n" + "\n".join(lines)
    rows = np.unique(np.linspace(0, len(history) - 1, POINTS).round().astype(int))
    lines = ["iteration  " + "  ".join(str(history.iterations[row]) for row in rows)]
    for name in arguments.names:
        column = history[name]
        lines.append(f"{name}  " + "  ".join(f"{column[row]:.5g}" for row in rows))
        known = column[np.isfinite(column)]
        if len(known):
            lines.append(f"  lowest {known.min():.5g}, highest {known.max():.5g}, last {known[-1]:.5g}")
    return "\n".join(lines)


def _last(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    known = column[np.isfinite(column)]
    return float(known[-1]) if len(known) else float("nan")


TOOL = Tool(
    "read_metrics",
    "Read a run's training curves. Rewards of experiments with different reward terms cannot be compared.",
    ReadMetrics,
    run,
    source=lambda arguments: f"the metrics of {arguments.run}",
)
