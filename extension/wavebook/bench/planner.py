"""The offline planner against random search at equal budget, over a task's search space.

What is measured is the planner as it is: it reads a project's records and proposes waves. Their runs are no robots:
they are read off a made landscape, with noise between seeds, or point masses learn in their place (``point_mass``). All
methods get the same number of runs, the planner's baselines and repeats counted in. What counts is the true error,
without the noise of a seed, of what measured lowest.
"""

from __future__ import annotations

import math
import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from typing import Protocol as Interface

from wavebook.agent.evidence import rank, read_evidence
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.steps import place
from wavebook.bench.machine import describe
from wavebook.bench.point_mass import PointMass
from wavebook.bench.progress import steps
from wavebook_tools.comparison.data import JUDGED
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.files import write_json
from wavebook_tools.records.plan import Overrides, WavePlan
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import Protocol, RunResult, RunSpec
from wavebook_tools.records.states import RunState
from wavebook_tools.tasks import SearchRange, TaskSchema, task_named

TASK = "Wavebook-Velocity-Flat-DHAV1"
STRENGTHS = (0.3, 0.2, 0.1, 0.05, 0.05)
"""What the parameters that matter cost over their whole range [m/s]; the others change nothing."""

LOWEST = 0.15
"""The error at the optimum [m/s]."""

NOISE = 0.005
"""Standard deviation between seeds [m/s]; as measured on flat ground with 4096 robots."""

DIRECTIVE = "track velocity better on flat ground, 5 experiments, at most {runs} runs"


class Ground(Interface):
    """What configurations are tried on."""

    @property
    def schema(self) -> TaskSchema:
        """The task that plans are made for."""
        ...

    def error(self, overrides: Overrides) -> float:
        """The velocity error of a configuration without the noise of a seed [m/s]."""
        ...

    def measured(self, overrides: Overrides, chance: random.Random) -> float:
        """The velocity error of one run [m/s]."""
        ...


@dataclass(frozen=True)
class Landscape:
    """A velocity error over the search space: which parameters matter, and where each is best, is drawn anew."""

    schema: TaskSchema
    matters: tuple[tuple[SearchRange, float, float], ...]
    """Range, strength [m/s] and best place, from 0 to 1."""

    @classmethod
    def drawn(cls, schema: TaskSchema, chance: random.Random) -> Landscape:
        """One of many."""
        chosen = chance.sample(schema.search, len(STRENGTHS))
        return cls(schema, tuple((e, s, chance.random()) for e, s in zip(chosen, STRENGTHS, strict=True)))

    def error(self, overrides: Overrides) -> float:
        """The error of a configuration without noise [m/s]."""
        total = LOWEST
        for entry, strength, best in self.matters:
            value = self.schema.value_of(entry.name, overrides)
            total += strength * (place(entry, value) - best) ** 2
        return total

    def measured(self, overrides: Overrides, chance: random.Random) -> float:
        """The error with the noise of a seed [m/s]."""
        return self.error(overrides) + chance.gauss(0, NOISE)


def anywhere(schema: TaskSchema, chance: random.Random) -> Overrides:
    """Every parameter of the search space somewhere in its range."""
    overrides: Overrides = {}
    for entry in schema.search:
        part = chance.random()
        if entry.log:
            value = entry.low * (entry.high / entry.low) ** part
        else:
            value = entry.low + part * (entry.high - entry.low)
        whole = schema.parameters[entry.name].type == "int"
        overrides[entry.name] = round(value) if whole else float(f"{value:.3g}")
    return overrides


def by_planner(land: Ground, budget: int, wave: int, chance: random.Random) -> list[list[float]]:
    """After each run the error of the configuration with the lowest mean [m/s], and of what the planner itself calls
    the best: what beats the baseline by more than the noise."""
    found, proven = [land.error({})], [land.error({})]
    with tempfile.TemporaryDirectory(prefix="wavebook-bench-") as folder:
        project = Project.create(Path(folder), f'[training]\ntask = "{TASK}"\nnum_envs = 64\niterations = 60\n')
        planner = OfflinePlanner(project, tasks={TASK: land.schema})
        while len(found) <= budget:
            allowed = min(wave, budget + 1 - len(found))
            try:
                plan = planner.propose(DIRECTIVE.format(runs=allowed))
            except UsageError:
                break  # everything was tried
            pretend(project, plan, land, chance)
            ranking = rank(read_evidence(project, TASK), JUDGED, "down")
            assert ranking is not None
            lowest = min((ranking.reference, *ranking.others), key=lambda standing: standing.mean)
            # A wave is judged as a whole: until its end what stands is what stood before.
            for course, chosen in ((found, lowest), (proven, ranking.best)):
                course += [course[-1]] * (plan.run_count - 1) + [land.error(chosen.tried.overrides)]
    return [(course[1:] + course[-1:] * budget)[:budget] for course in (found, proven)]


def pretend(project: Project, plan: WavePlan, land: Ground, chance: random.Random) -> None:
    """Write a wave's records as if it had run."""
    write_json(project.waves_path / plan.folder / "wave.json", plan)
    for experiment in plan.experiments:
        for seed in experiment.seeds:
            spec = RunSpec.from_plan(plan, experiment, seed)
            record = RunRecord(project.run_folder(plan, spec))
            write_json(record.spec_path, spec)
            events = EventWriter(record.events_path)
            events.write("state", state=RunState.DONE)
            events.close()
            numbers = {"error_vel_xy": land.measured(spec.overrides, chance), "error_vel_yaw": 0.1}
            size = {"num_envs": 64, "seed": seed, "env_steps_per_second": 1.0, "train_seconds": 1.0}
            protocol = Protocol(version=1, hash="sha256:made")
            write_json(record.result_path, RunResult(protocol=protocol, time_out=1.0, device="cpu", **numbers, **size))


def at_random(land: Ground, budget: int, chance: random.Random) -> list[float]:
    """Random search: the default first, then every parameter drawn anew each time."""
    return _drawn(land, budget, chance, lambda best: anywhere(land.schema, chance))


def around_best(land: Ground, budget: int, chance: random.Random) -> list[float]:
    """Random search around the best so far: two of its parameters drawn anew each time."""

    def near(best: Overrides) -> Overrides:
        found = anywhere(land.schema, chance)
        return {**best, **{name: found[name] for name in chance.sample(sorted(found), 2)}}

    return _drawn(land, budget, chance, near)


def _drawn(land: Ground, budget: int, chance: random.Random, draw: Callable[[Overrides], Overrides]) -> list[float]:
    best: Overrides = {}
    lowest = math.inf
    course = []
    for number in range(budget):
        overrides = draw(best) if number else {}
        measured = land.measured(overrides, chance)
        if measured < lowest:
            best, lowest = overrides, measured
        course.append(land.error(best))
    return course


On = Literal["landscapes", "point-masses"]
GROUNDS: dict[On, type[Landscape | PointMass]] = {"landscapes": Landscape, "point-masses": PointMass}
MEANT: dict[On, str] = {"landscapes": "made landscapes", "point-masses": "kinds of point masses"}

PLANNER = "offline planner"
PROVEN = "offline planner, proven"
RANDOM = {"random search": at_random, "random search around the best": around_best}


def measure(
    *, on: On = "landscapes", budget: int = 30, wave: int = 6, repeats: int = 20, plot: Path | None = None
) -> dict[str, Any]:
    """Compare the methods on so many landscapes, or kinds of point masses.

    Args:
        on: What they are tried on.
        budget: Runs that each method has.
        wave: Runs of each of the planner's waves.
        repeats: How many, each with noise of its own; the same for all methods.
        plot: Where a figure (SVG or PNG) is written.

    Returns:
        For each method the true error of the configuration that measured lowest after each run, and for the planner
        also of what it calls proven: the mean over landscapes and the limits that hold that mean with 95 percent; how
        often the planner ended lower than the others.
    """
    schema = task_named(TASK)
    courses: dict[str, list[list[float]]] = {name: [] for name in (PLANNER, PROVEN, *RANDOM)}
    kind = GROUNDS[on]
    for seed in steps(range(repeats), on):
        land = kind.drawn(schema, random.Random(seed))
        found, proven = by_planner(land, budget, wave, random.Random(f"{seed}/planner"))
        courses[PLANNER].append(found)
        courses[PROVEN].append(proven)
        for name, method in RANDOM.items():
            courses[name].append(method(land, budget, random.Random(f"{seed}/{name}")))
    methods = {name: _summary(found) for name, found in courses.items()}
    lower = {
        name: sum(a[-1] < b[-1] for a, b in zip(courses[PLANNER], courses[name], strict=True)) / repeats
        for name in RANDOM
    }
    if plot is not None:
        draw(methods, plot, f"{repeats} {MEANT[on]}", LOWEST if on == "landscapes" else None)
    return {
        "bench": "planner",
        "task": TASK,
        "on": on,
        "search_space": len(schema.search),
        "budget": budget,
        "wave": wave,
        "repeats": repeats,
        **({"noise": NOISE, "lowest": LOWEST} if on == "landscapes" else {}),
        "methods": methods,
        "planner_lower": lower,
        "machine": describe(),
    }


def _summary(courses: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    mean, low, high = [], [], []
    for values in zip(*courses, strict=True):
        middle = statistics.fmean(values)
        half = 1.96 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
        mean.append(round(middle, 5))
        low.append(round(middle - half, 5))
        high.append(round(middle + half, 5))
    return {"mean": mean, "low": low, "high": high}


def draw(methods: dict[str, dict[str, list[float]]], path: Path, over: str, lowest: float | None) -> None:
    """Draw the courses with their bands, and the lowest error that is possible, where that is known.

    Raises:
        WavebookError: matplotlib is missing, or the file cannot be written.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise WavebookError("the figure needs matplotlib, which `pip install 'wavebook[sim]'` brings") from error
    mpl.rcParams["svg.hashsalt"] = "wavebook"  # the same figures give the same file
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for (name, course), colour in zip(methods.items(), ("#1f86c7", "#7fb8dd", "#c7641f", "#4a9a5b"), strict=False):
        runs = range(1, len(course["mean"]) + 1)
        axes.plot(runs, course["mean"], color=colour, label=name)
        axes.fill_between(runs, course["low"], course["high"], color=colour, alpha=0.2, linewidth=0)
    if lowest is not None:
        axes.axhline(lowest, color="#888888", linestyle=":", linewidth=1, label="possible")
    axes.set_xlabel("runs, baselines and repeats counted in")
    axes.set_ylabel("error of what is recommended [m/s]")
    axes.set_title(f"Mean over {over}, with 95 % limits of the mean", fontsize=10)
    axes.legend(frameon=False)
    try:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    except (OSError, ValueError) as error:
        raise WavebookError(f"cannot write the figure {path}: {error}") from error
