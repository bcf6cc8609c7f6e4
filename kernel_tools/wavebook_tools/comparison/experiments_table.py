"""A table of every run, as Markdown, to which waves are appended."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from wavebook_tools.comparison.data import Experiment, Run, collect
from wavebook_tools.comparison.report import code, quiet
from wavebook_tools.comparison.verdict import judge
from wavebook_tools.errors import UsageError
from wavebook_tools.records.files import write_atomic
from wavebook_tools.records.project import Project

HEAD = (
    "| date | run | trained | robots x iterations | device | error_vel_xy [m/s] | error_vel_yaw [rad/s] | time_out |"
    " level | judged on | training | what it taught |"
)
MARK = "<!-- wavebook keep appends rows above this line -->"
"""Line of the page before which rows are put."""


def rows(project: Project, waves: list[int], name: str) -> list[str]:
    """A row for each run of the waves, failed ones too.

    Args:
        project: The project.
        waves: Numbers of its waves.
        name: What the record is called, before each run's id.
    """
    found = []
    for wave in waves:
        comparison = collect(project, [wave])
        verdicts = judge(comparison, wave)
        for experiment in comparison.experiments:
            for run in experiment.runs:
                taught = f"«{experiment.spec.hypothesis}» {run.message or verdicts[experiment.id].text}"
                found.append(_row(experiment, run, name, taught))
    return found


def append(page: Path, lines: list[str]) -> None:
    """Put rows at the end of the page's table; a row that stands there already is not put twice.

    Raises:
        UsageError: The page is missing, or has no table for it.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, mark, after = text.partition(MARK)
    if not mark or HEAD not in before:
        raise UsageError(f"{page} has no table of runs: it needs the table's head and, below its rows, {MARK}")
    table = before.rstrip("\n")
    fresh = [line for line in lines if line not in table.splitlines()]
    write_atomic(page, "\n".join([table, *fresh, mark]) + after)


def _row(experiment: Experiment, run: Run, name: str, taught: str) -> str:
    task, robots, iterations = experiment.size
    result = run.results[-1] if run.results else None
    trained = ", ".join(f"`{_last(key)}={code(value)}`" for key, value in experiment.overrides.items()) or "as it is"
    device = getattr(result, "device_name", None) or getattr(result, "device", None) or ""
    ground = getattr(result.protocol, "terrain_set", "full") if result and result.terrain_level is not None else ""
    seconds = run.measured("train_seconds")
    cells = [
        datetime.fromtimestamp(experiment.plan.created, UTC).strftime("%Y-%m-%d"),
        f"{name} {run.id}",
        f"{task.removeprefix('Wavebook-Velocity-').removesuffix('-DHAV1')}: {trained}",
        f"{robots} x {iterations}",
        quiet(str(device)),
        *(_number(run.measured(metric)) for metric in ("error_vel_xy", "error_vel_yaw", "time_out")),
        _number(run.measured("terrain_level"), 2),
        quiet(str(ground)),
        f"{seconds:.0f} s" if seconds is not None else str(run.state),
        quiet(taught),
    ]
    return f"| {' | '.join(cells)} |"


def _last(name: str) -> str:
    return ".".join(name.split(".")[-2:])


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"
