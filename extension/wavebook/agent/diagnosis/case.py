"""A run that went wrong, as far as diagnosing it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wavebook_tools.comparison.data import last_state
from wavebook_tools.diagnosis.hang import Hang
from wavebook_tools.diagnosis.signatures import SIGNATURES
from wavebook_tools.errors import NotFoundError, UsageError
from wavebook_tools.jobs.recovery import tail_events
from wavebook_tools.records.plan import Overrides, Prediction, WavePlan
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunSpec, RunState
from wavebook_tools.tasks import TaskSchema

KINDS = (Hang.kind, *(signature.kind for signature in SIGNATURES))
UNKNOWN = "unknown"
"""Kind of a run that failed and shows no known signature."""

FINISHED = "finished"
"""Share of an experiment's runs that end with a result: what a diagnosis predicts."""


@dataclass(frozen=True)
class Case:
    """One finding about one run. Numbers and names of the finding are a run's own words: each is checked before use."""

    kind: str
    """One of ``KINDS``, or ``UNKNOWN``."""
    evidence: Mapping[str, Any]
    spec: RunSpec
    plan: WavePlan
    schema: TaskSchema
    last_iteration: int | None = None

    def known(self, overrides: Overrides) -> Overrides:
        """Those of some overrides that the task has."""
        return {name: value for name, value in overrides.items() if name in self.schema.parameters}

    def value(self, name: str) -> Any:
        """What the failed run had there; None where the task has no such parameter."""
        if name in self.spec.overrides:
            return self.spec.overrides[name]
        parameter = self.schema.parameters.get(name)
        return parameter.default if parameter is not None else None

    def number(self, name: str) -> float | None:
        """The same where it is a number."""
        value = self.value(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Variant:
    """One suspicion, tested by taking the suspect away."""

    slug: str
    hypothesis: str
    overrides: Overrides = field(default_factory=dict)
    """On top of what the failed run had."""
    num_envs: int | None = None
    iterations: int | None = None
    dropped: tuple[str, ...] = ()
    """Overrides of the failed run that are left out."""
    without_code: bool = False
    devices: tuple[str, ...] | None = None
    prediction: Prediction = field(default_factory=lambda: Prediction(metric=FINISHED, direction="up"))


@dataclass(frozen=True)
class Step:
    """A call of a tool that says more than a wave could; it waits for a person where the tool does."""

    tool: str
    arguments: dict[str, Any]
    why: str


@dataclass(frozen=True)
class Family:
    """What isolates one kind of failure."""

    question: str
    variants: list[Variant]
    steps: list[Step] = field(default_factory=list)
    horizon: int | None = None
    """Iterations of each run; those of the failed run where absent."""


def read_case(project: Project, run_id: str, schemas: Mapping[str, TaskSchema]) -> Case:
    """What is known of a run that went wrong.

    Raises:
        NotFoundError: There is no such run, or its task is not installed here.
        UsageError: Nothing is wrong with it.
    """
    record = project.run(run_id)
    spec = record.spec()
    if spec.task not in schemas:
        raise NotFoundError(f"{run_id} ran {spec.task}, which no plug-in here has")
    alert = _alert(record)
    if alert is None and last_state(record).get("state") not in (RunState.FAILED, RunState.HUNG):
        raise UsageError(f"nothing is wrong with {run_id}: it did not fail, and the watchdog found nothing in it")
    kind = str(alert.get("finding")) if alert else UNKNOWN
    evidence = alert.get("evidence") if alert else None
    return Case(
        kind,
        evidence if isinstance(evidence, dict) else {},
        spec,
        project.wave(spec.wave).plan(),
        schemas[spec.task],
        _last_iteration(record),
    )


def failed_run(project: Project, subject: str | None) -> str:
    """The run that a person means: a run's name, an experiment's first run that went wrong, or the newest that did.

    Raises:
        UsageError: Nothing went wrong there.
    """
    if subject is not None and "/" in subject:
        return subject
    for record in reversed(project.runs()):
        if subject in (None, record.id.experiment) and went_wrong(record):
            return str(record.id)
    raise UsageError(
        f"no run of {subject} went wrong" if subject else "no run went wrong yet, so there is nothing to isolate"
    )


def went_wrong(record: RunRecord) -> bool:
    """Whether a run failed, hung, or shows a finding."""
    return last_state(record).get("state") in (RunState.FAILED, RunState.HUNG) or _alert(record) is not None


def _alert(record: RunRecord) -> dict[str, Any] | None:
    """The newest finding of a known kind, one that ended the run before others."""
    alerts = [alert for alert in record.alerts() if alert.get("finding") in KINDS]
    ending = [alert for alert in alerts if alert.get("ends_run")]
    found = ending or alerts
    return found[-1] if found else None


def _last_iteration(record: RunRecord) -> int | None:
    metrics = (e.get("iteration") for e in tail_events(record) if e["kind"] == "metric")
    numbers = [number for number in metrics if isinstance(number, int)]
    return numbers[-1] if numbers else None
