"""What a worker says of a run that it could not bring to its end."""

from __future__ import annotations

import sys

import pytest

from tests.jobs.conftest import small_plan
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs import worker
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec


@pytest.mark.parametrize(("template", "finding"), [("quick", "not saved"), ("missing", "crash at start")])
def test_an_error_at_saving_is_not_taken_for_one_at_the_start(
    project: Project, monkeypatch: pytest.MonkeyPatch, template: str, finding: str
) -> None:
    plan = small_plan(template=template)
    write_json(project.waves_path / plan.folder / "wave.json", plan)
    spec = RunSpec.from_plan(plan, plan.experiments[0], 0)
    folder = project.run_folder(plan, spec)
    write_json(folder / "spec.json", spec)

    def full(*arguments: object, **named: object) -> None:
        raise WavebookError("cannot write notebook.ipynb: No space left on device")

    monkeypatch.setattr("papermill.execute_notebook", full)
    monkeypatch.setattr(worker, "signal_on_parent_death", lambda number: None)
    monkeypatch.setattr(worker, "_interrupt_kernel_on_sigterm", lambda manager: None)
    monkeypatch.setattr(sys, "argv", ["worker", str(folder)])
    with pytest.raises(SystemExit):
        worker.main()
    assert [e["finding"] for e in project.run(spec.id).events() if e["kind"] == "alert"] == [finding]
