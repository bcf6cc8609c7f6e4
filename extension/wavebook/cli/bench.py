"""``wavebook bench``: speeds, as ratios against something run beside it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

import click

from wavebook.cli.output import print_json
from wavebook.cli.simulator import require_simulator


@click.group()
def bench() -> None:
    """Measure speeds on this machine, as JSON."""


@bench.command()
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda:0.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (this is always so).")
def simulate(device: str, as_json: bool) -> None:
    """Environment steps a second on flat and rough ground."""
    require_simulator("`wavebook bench simulate`")
    from wavebook.bench.simulate import measure

    print_json(measure(device))


@bench.command()
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1, 20))
@click.option("--num-envs", default=128, show_default=True, type=click.IntRange(1))
@click.option("--iterations", default=40, show_default=True, type=click.IntRange(2))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (this is always so).")
def notebook(repeats: int, num_envs: int, iterations: int, as_json: bool) -> None:
    """Training time inside a run's notebook against the same training as a bare script, interleaved."""
    require_simulator("`wavebook bench notebook`")
    from wavebook.bench.notebook import measure

    print_json(measure(repeats=repeats, num_envs=num_envs, iterations=iterations))


@bench.command()
@click.option("--repeats", default=20, show_default=True, type=click.IntRange(1, 200))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (this is always so).")
def jobs(repeats: int, as_json: bool) -> None:
    """The queue: submission to start, cancel to a free device, moves a second, idle load; beside bare papermill."""
    from wavebook.bench.jobs import measure

    print_json(measure(repeats=repeats))


@bench.command("six-runs")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the project there, as a record to give away.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (this is always so).")
def six_runs(keep: Path | None, as_json: bool) -> None:
    """Six small runs on two GPUs, of which one is cancelled, one hangs and one does not fit; exit code 1 where what
    is seen is not as it should be. Takes some minutes."""
    require_simulator("`wavebook bench six-runs`")
    from wavebook.bench.six_runs import measure

    with tempfile.TemporaryDirectory(prefix="wavebook-bench-") as folder:
        document = measure(Path(folder, "project"), keep=keep)
    print_json(document)
    sys.exit(0 if document["ok"] else 1)


@bench.command()
@click.option("--task", default="Wavebook-Velocity-Rough-DHAV1", show_default=True)
@click.option("--num-envs", default=64, show_default=True, type=click.IntRange(1))
@click.option("--iterations", default=10, show_default=True, type=click.IntRange(2))
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda:0.")
@click.option(
    "--profile", type=click.Path(dir_okay=False), help="Also write the slowest functions and operations there."
)
@click.option("--mjlab", metavar="PYTHON", help="Of an environment with mjlab, whose Go1 is trained beside.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (this is always so).")
def train(
    task: str, num_envs: int, iterations: int, device: str, profile: str | None, mjlab: str | None, as_json: bool
) -> None:
    """What an iteration of training costs, part by part, beside Isaac Lab's own training of the same task."""
    require_simulator("`wavebook bench train`")
    from wavebook.bench.train import measure

    print_json(
        measure(task=task, num_envs=num_envs, iterations=iterations, device=device, profile=profile, mjlab=mjlab)
    )


@bench.command()
@click.option("--runs", default=(10, 100, 500), show_default=True, multiple=True, type=click.IntRange(1, 2000))
@click.option("--iterations", default=2000, show_default=True, type=click.IntRange(2))
@click.option("--metrics", default=30, show_default=True, type=click.IntRange(10, 200))
@click.option("--pan-seconds", default=3.0, show_default=True, type=click.FloatRange(0.2, 60))
@click.option("--tensorboard", is_flag=True, help="Also install TensorBoard for this once, and measure it beside.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (this is always so).")
def compare(
    runs: tuple[int, ...], iterations: int, metrics: int, pan_seconds: float, tensorboard: bool, as_json: bool
) -> None:
    """How fast a comparison is built, opens and pans in Chromium; needs `wavebook[dev]` and Chromium."""
    from wavebook.bench.compare import measure

    print_json(
        measure(runs=runs, iterations=iterations, metrics=metrics, pan_seconds=pan_seconds, tensorboard=tensorboard)
    )


@bench.command()
@click.option(
    "--on",
    default="landscapes",
    show_default=True,
    type=click.Choice(["landscapes", "point-masses"]),
    help="Made landscapes, or point masses that learn.",
)
@click.option("--budget", default=30, show_default=True, type=click.IntRange(6, 200), help="Runs of each method.")
@click.option("--wave", default=6, show_default=True, type=click.IntRange(3, 12), help="Runs of the planner's waves.")
@click.option("--repeats", default=20, show_default=True, type=click.IntRange(2, 500), help="How many of them.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Also draw the courses there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (this is always so).")
def planner(
    on: Literal["landscapes", "point-masses"], budget: int, wave: int, repeats: int, plot: Path | None, as_json: bool
) -> None:
    """The offline planner against random search at equal budget; no simulator is needed."""
    from wavebook.bench.planner import measure

    print_json(measure(on=on, budget=budget, wave=wave, repeats=repeats, plot=plot))
