"""Handing an approved wave to the queue so that it arrives once, also when a process died while doing it."""

from __future__ import annotations

from wavebook_tools.jobs.devices import check_devices_of, list_devices
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.notebooks.simulator import missing_packages, require_simulator
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project


def submit_once(queue: Queue, plan: WavePlan) -> None:
    """Submit a wave, or finish a submission that broke off.

    The queue makes the wave's folder appear whole, then adds its rows. Rows that a dead process did not come to add are
    added now.

    The caller makes sure that nobody else submits the same wave.

    Raises:
        WavebookError: The queue refuses the wave, or the project cannot be written.
    """
    folder = queue.project.waves_path / plan.folder
    record = next((wave for wave in queue.project.waves() if wave.path == folder), None)
    if record is None:
        queue.submit_wave(plan)
        return
    if record.plan() != plan:
        queue.submit_wave(plan)  # another wave has this name: the queue says so
        return
    known = {row.id for row in queue.store.of_wave(plan.id)}
    missing = [(run, run.spec()) for run in record.runs() if run.id not in known]
    if missing:
        queue.store.add((spec, queue.project.relative(run.path)) for run, spec in missing)
    queue.ensure_dispatcher()


def check_templates(project: Project, plan: WavePlan) -> None:
    """Refuse a plan whose notebooks could not be made; the queue checks the same when it makes them.

    Raises:
        NotFoundError: There is no such template.
        UsageError: One lacks a parameter, or cannot be read.
    """
    # papermill, which reads them, takes a second to import; a server that plans nothing does without.
    from wavebook_tools.notebooks.templates import load_template
    from wavebook_tools.notebooks.validation import check_template

    for name in sorted({experiment.template for experiment in plan.experiments}):
        check_template(load_template(project, name), name)


def check_simulator(project: Project, plan: WavePlan) -> None:
    """Refuse a plan whose runs would fail at their first import. What a cluster's nodes have is known to them alone.

    Raises:
        NotFoundError: There is no template of a name that the plan gives.
        WavebookError: The simulator is not installed; says how to install it.
    """
    if not missing_packages() or project.settings().engine.name != "local":
        return
    from wavebook_tools.notebooks.templates import load_template

    for name in sorted({experiment.template for experiment in plan.experiments}):
        require_simulator(load_template(project, name), name)


def check_placed(project: Project, plan: WavePlan) -> None:
    """Refuse a plan whose runs this machine cannot hold; the queue checks the same as it takes the wave, since devices
    come and go. A cluster's devices are known to it alone.

    Raises:
        UsageError: A name fits no device, or several, or a run trains on more devices than it may take.
        WavebookError: The driver does not answer.
    """
    if project.settings().engine.name != "local":
        return
    runs = [(one.devices or plan.devices, one.gpus or plan.gpus) for one in plan.experiments]
    if any(devices != ["auto"] or gpus > 1 for devices, gpus in runs):  # asking the driver takes its time
        check_devices_of(plan, list_devices())
