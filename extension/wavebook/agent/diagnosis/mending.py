"""The wave that runs a failed experiment again without what a diagnosis found to stop it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from wavebook.agent.diagnosis.case import failed_run, went_wrong
from wavebook_tools.comparison.data import Experiment, collect
from wavebook_tools.comparison.isolation import finished
from wavebook_tools.errors import UsageError
from wavebook_tools.records.numbering import Numbers
from wavebook_tools.records.plan import ExperimentSpec, Prediction, WavePlan, slugify
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema, check_plan


def broken_run(project: Project, subject: str | None) -> str:
    """The run to mend: the one named, or the newest that went wrong in a wave of research.

    Raises:
        UsageError: Nothing went wrong there.
    """
    if subject is not None:
        return failed_run(project, subject)
    for wave in reversed(project.waves()):
        if wave.plan().purpose != "diagnosis":
            for record in wave.runs():
                if went_wrong(record):
                    return str(record.id)
    raise UsageError("no run went wrong yet, so there is nothing to mend")


def mend(
    project: Project, run_id: str, numbers: Numbers, tasks: Mapping[str, TaskSchema], planner: str, *, directive: str
) -> WavePlan:
    """The failed experiment in full, changed as little as made its diagnosis finish, beside its wave's baseline.

    Args:
        project: The project.
        run_id: The run that failed, as ``exp003/s0``.
        numbers: The first free numbers.
        tasks: The tasks there are.
        planner: Who plans.
        directive: What the person asked for.

    Raises:
        NotFoundError: There is no such run.
        UsageError: No diagnosis of it has ended, none of what it tried is a mended experiment, or what finished is the
            baseline again.
    """
    spec = project.run(run_id).spec()
    plan = project.wave(spec.wave).plan()
    failed = next(experiment for experiment in plan.experiments if experiment.id == spec.experiment)
    control, working = _diagnosed(project, run_id)
    cure = min(working, key=lambda one: len(_changes(one, control)))
    changes = _changes(cure, control)
    if not changes:
        raise UsageError(f"{cure.label} finished with nothing changed but its length: retry {run_id}")
    experiments = []
    base = next((experiment for experiment in plan.experiments if experiment.baseline), None)
    expected = failed.hypothesis
    if base is not None and base.id != failed.id:
        again = {"id": numbers.experiment_id(), "evidence": [base.id], "seeds": failed.seeds}
        of_wave = {"overrides": {**plan.overrides, **base.overrides}, "code": plan.code_of(base)}
        experiments.append(base.model_copy(update={**again, **of_wave}))
        if _left_out(cure, control):
            expected = _of_the_rest(failed, cure, control, experiments[0])
    experiments.append(
        ExperimentSpec(
            id=numbers.experiment_id(len(experiments)),
            slug=slugify(f"mended-{failed.slug}"),
            hypothesis=f"{failed.id} runs {', '.join(changes)}: {cure.label} finished where the control {control.id} "
            f"failed. {expected}",
            overrides=cure.overrides,
            code=cure.code,
            seeds=failed.seeds,
            num_envs=cure.spec.num_envs or failed.num_envs,
            iterations=failed.iterations,
            prediction=failed.prediction or Prediction(metric="error_vel_xy", direction="same"),
            baseline=not experiments,
            evidence=[failed.id, control.id, cure.id],
        )
    )
    goal = f"Mend {failed.id}"
    mended = plan.model_copy(
        update={
            "id": numbers.wave,
            "slug": slugify(goal),
            "goal": f"{goal}: {failed.slug} {', '.join(changes)}",
            "directive": directive,
            "parent": control.plan.id,
            "overrides": {},
            "code": [],
            "experiments": experiments,
            "planner": planner,
            "purpose": "research",
            "rationale": f"Wave {control.plan.id} isolated the cause: {cure.label} finished, {control.label} failed. "
            "Of what finished it changes least.",
        }
    )
    check_plan(mended, tasks)
    return mended


def _diagnosed(project: Project, run_id: str) -> tuple[Experiment, list[Experiment]]:
    """The control of the newest diagnosis of a run that told something, and what finished on the same devices."""
    experiment = run_id.partition("/")[0]
    told = f"{experiment} was not isolated yet: ask «why did {experiment} fail?» first, and run that wave"
    for wave in reversed(project.waves()):
        if wave.plan().purpose != "diagnosis":
            continue
        experiments = collect(project, [wave.id]).experiments
        control = next((one for one in experiments if one.spec.baseline), None)
        if control is None or not any(run.partition("/")[0] == experiment for run in control.spec.evidence):
            continue
        if any(one.unfinished for one in experiments):
            told = f"wave {wave.id} is still finding out why {experiment} failed"
        elif finished(control):
            told = f"in wave {wave.id} {experiment} finished: there is nothing to mend; retry it"
        elif working := [one for one in experiments if one is not control and finished(one) and not one.spec.devices]:
            return control, working
        else:
            told = f"nothing that wave {wave.id} tried finished, so no change is known to mend {experiment}"
        break
    raise UsageError(told)


def _left_out(cure: Experiment, control: Experiment) -> list[str]:
    """What the control changes and an experiment does not."""
    return [name for name in control.changes if name not in cure.changes]


def _of_the_rest(failed: ExperimentSpec, cure: Experiment, control: Experiment, base: ExperimentSpec) -> str:
    """What is expected of an experiment of which a part was left out: its hypothesis may have been about that part.

    Raises:
        UsageError: Nothing is left of it.
    """
    rest = [n for n, value in cure.changes.items() if n in control.changes and base.changes.get(n) != value]
    if not rest:
        raise UsageError(
            f"{cure.label} finished, and nothing of {failed.id} is left in it but what {base.evidence[0]} is already: "
            f"{failed.id} itself must be changed, so propose it anew"
        )
    return f"Of {failed.id} is left {', '.join(rest)}. Expected of the whole was: {failed.hypothesis}"


def _changes(cure: Experiment, control: Experiment) -> list[str]:
    """What tells an experiment from the control, in words."""
    before, after = control.overrides, cure.overrides
    changes = [f"without {name}" for name in _left_out(cure, control) if name in before]
    changes += [f"with {name} = {json.dumps(value)}" for name, value in after.items() if before.get(name) != value]
    changes += [f"with {cure.spec.num_envs} robots"] if cure.spec.num_envs else []
    return changes + (["without its code"] if len(cure.code) < len(control.code) else [])
