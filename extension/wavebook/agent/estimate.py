"""What a wave will cost, from the speed of earlier runs. Nothing is guessed where no run was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.devices import list_devices, select_devices
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project, RunRecord


class Estimate(BaseModel):
    """Runs and time of a wave; None where no earlier run tells."""

    runs: int
    seconds: float | None = None
    """Time until the last run ends, its devices free [s]."""
    gpu_hours: float | None = None
    """Time on GPUs over all runs [h]; 0 on a CPU."""
    measured_on: list[str] = []
    """Names of the devices that ran the task, where they are others than the plan's: where a time is given, it is
    theirs; where none is, nothing tells how much slower or faster the plan's are."""


@dataclass(frozen=True)
class Cost:
    """What one finished run took."""

    num_envs: int
    iterations: int
    seconds: float
    """Wall time from its first event to its last [s]."""
    train_seconds: float
    """Wall time of the training alone [s]."""
    on_gpu: bool
    device_name: str = ""
    """Empty where its record does not tell."""

    def scaled(self, num_envs: int, iterations: int) -> float:
        """The time of a like run of another size [s]: training in proportion to its iterations, the rest as it is.

        A larger batch of environments is taken to be no slower per iteration where it is smaller than measured, and
        slower in proportion where it is larger: on a GPU that is pessimistic, on a CPU about right.
        """
        per_iteration = self.train_seconds / self.iterations * max(1.0, num_envs / self.num_envs)
        return max(0.0, self.seconds - self.train_seconds) + per_iteration * iterations


def estimate(project: Project, plan: WavePlan) -> Estimate:
    """The cost of a plan on this machine, from finished runs of its task on its devices, else on others of their kind.

    Between processors and GPUs nothing is carried over: they differ by a factor of a hundred.
    """
    runs = plan.run_count
    try:
        devices = select_devices(plan.devices, list_devices())
    except WavebookError:
        return Estimate(runs=runs)  # the approval will say what is wrong with the devices
    on_gpu = any(device.kind == "gpu" for device in devices)
    measured = costs_of(project.runs(), plan.task)
    costs = [cost for cost in measured if cost.on_gpu == on_gpu]
    if not costs:
        return Estimate(runs=runs, gpu_hours=None if on_gpu else 0.0, measured_on=_names(measured))
    # The driver tells what a GPU is called; for a processor every record has words of its own.
    same = [cost for cost in costs if not on_gpu or cost.device_name in {"", *(device.name for device in devices)}]
    costs = same or costs
    each = []
    for experiment in plan.experiments:
        num_envs = experiment.num_envs or plan.num_envs
        iterations = experiment.iterations or plan.iterations
        nearest = sorted(costs, key=lambda cost: abs(cost.num_envs - num_envs))[:8]
        seconds = statistics.median(cost.scaled(num_envs, iterations) for cost in nearest)
        each.extend([seconds] * len(experiment.seeds))
    return Estimate(
        runs=runs,
        seconds=round(_makespan(each, _at_once(project, plan, len(devices))), 1),
        gpu_hours=round(sum(each) / 3600, 3) if on_gpu else 0.0,
        measured_on=[] if same else _names(costs),
    )


def _names(costs: Iterable[Cost]) -> list[str]:
    return sorted({cost.device_name or ("a GPU" if cost.on_gpu else "a processor") for cost in costs})


def _at_once(project: Project, plan: WavePlan, devices: int) -> int:
    """How many of the plan's runs go side by side where its devices are free."""
    settings = project.settings()
    at_once = devices * settings.devices.runs_per_gpu if plan.share else devices // plan.gpus
    return max(1, min(at_once, settings.queue.max_running or at_once))


def costs_of(records: Iterable[RunRecord], task: str) -> list[Cost]:
    """The cost of every finished run of a task; what is damaged or unfinished is passed over."""
    costs = []
    for record in records:
        try:
            spec, result = record.spec(), record.result()
        except WavebookError:
            continue
        if result is None or spec.task != task or result.train_seconds <= 0:
            continue
        first = next(record.events(), None)
        # The evaluation writes the result at the very end, and a record's time stamps are kept in its events.
        last = None
        for event in record.events(start=max(0, _size(record) - 65536)):
            last = event
        wall = last["t"] - first["t"] if first and last else result.train_seconds
        on_gpu = not result.device.startswith("cpu")
        seconds = max(wall, result.train_seconds)
        name = str(getattr(result, "device_name", None) or "")
        costs.append(Cost(spec.num_envs, spec.iterations, seconds, result.train_seconds, on_gpu, name))
    return costs


def _size(record: RunRecord) -> int:
    try:
        return record.events_path.stat().st_size
    except OSError:
        return 0


def _makespan(seconds: list[float], slots: int) -> float:
    """Time until the last job ends when each slot takes the next job as it gets free [s]."""
    busy = [0.0] * max(1, slots)
    for job in seconds:
        index = busy.index(min(busy))
        busy[index] += job
    return max(busy)
