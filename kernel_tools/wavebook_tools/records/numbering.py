"""The next numbers of waves and experiments, which count through the whole project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project


@dataclass(frozen=True)
class Numbers:
    """The first free numbers."""

    wave: int
    experiment: int

    def experiment_id(self, offset: int = 0) -> str:
        """The id of the experiment ``offset`` places after the first free one."""
        return f"exp{self.experiment + offset:03d}"


def next_numbers(project: Project, proposed: Iterable[WavePlan] = ()) -> Numbers:
    """One more than the largest number in the project's files and in the plans that wait for approval."""
    waves, experiments = [0], [0]
    for record in project.waves():
        waves.append(record.id)
        folders = (path.name.partition("-")[0] for path in record.path.glob("exp*-*"))
        experiments.extend(int(name[3:]) for name in folders if name[3:].isdigit())
    for plan in proposed:
        waves.append(plan.id)
        experiments.extend(int(experiment.id[3:]) for experiment in plan.experiments)
    return Numbers(max(waves) + 1, max(experiments) + 1)
