"""The campaign's notebook tells what the records and the ledger hold."""

from __future__ import annotations

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import get_kernel_spec

from tests.projects import Drawn, draw_wave
from wavebook.agent.branches import close
from wavebook.agent.campaign import write_campaign
from wavebook_tools.comparison import write_report
from wavebook_tools.errors import NotFoundError
from wavebook_tools.records.project import Project

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"


def test_the_report_tells_waves_decisions_repeats_and_failures(tmp_path):
    first = [
        Drawn("baseline", {0: 0.30, 1: 0.31, 2: 0.305}, baseline=True),
        Drawn("weight", {0: 0.20, 1: 0.21}, {WEIGHT: 6.0}),
        Drawn("broken", {0: "failed"}, {WEIGHT: 8.0}),
    ]
    project = draw_wave(tmp_path, first, planner="offline")
    draw_wave(
        tmp_path,
        [Drawn("baseline", {3: 0.30, 4: 0.31}, baseline=True), Drawn("again", {3: 0.20}, {WEIGHT: 6.0})],
        **{"wave": 2, "parent": 1, "planner": "claude-opus-5-5", "directive": "repeat it with api_key=hunter2hunter2"},
    )
    project.ledger.append("human", "ada", "approve", why="go <b>on</b> | now", wave=1)
    project.ledger.append("human", "ada", "grant night", why="track it", night=1, terms="2 waves")
    project.ledger.append("agent", "night", "judge wave", why="exp002 is better", night=1, wave=1)
    project.ledger.append("agent", "night", "end night", why="2 waves have run", night=1, outcome="budget")
    close(project, "offline", "him", "Three runs ended at level 0.0.")
    path = write_campaign(project)
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "Waves: 2. Experiments: 5. Runs: 9 (" in text
    assert "| 1 | – |" in text
    assert "| 0.205 (exp002) |" in text  # the lowest of the first wave
    assert "| offline | ada | 1 baseline, 1 better, 1 failed |" in text
    assert "exp005 with" in text  # the best, by its newest experiment
    assert "exp002 (0.200, 0.210); exp005 (0.200)" in text
    assert "exp003/s0 failed: the run was made to be failed" in text
    assert "branch `him` closed" in text
    assert "3 by agent, 2 by human" in text
    # The database knows of no night, as in a record that was given away.
    assert "**Night 1**, asked by ada: «track it», within 2 waves.\n\n- wave 1: exp002 is better\n- its end:" in text
    assert "<b>" not in text
    assert "hunter2" not in text
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cell.source.endswith("compare(1, 2)")
    assert any("text/html" in output.data for output in cell.outputs)
    # A report that a person changed is kept.
    path.write_text(path.read_text().replace("Campaign", "My campaign"))
    write_campaign(project)
    assert "My campaign" in (tmp_path / "report-kept-1.ipynb").read_text()


def test_jupyterlab_finds_nothing_to_change_in_a_report_that_it_opens(tmp_path):
    project = draw_wave(tmp_path, [Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True)])
    kernel = get_kernel_spec("python3")
    for path in (write_campaign(project), write_report(project, 1)):
        metadata = nbformat.read(path, as_version=4).metadata
        # What it writes of a kernel that it connects to; a difference marks the notebook as changed.
        assert metadata["kernelspec"] == {
            "name": "python3",
            "display_name": kernel.display_name,
            "language": kernel.language,
        }
        assert metadata["language_info"] == IPythonKernel.language_info


def test_an_empty_project_has_nothing_to_report(tmp_path):
    with pytest.raises(NotFoundError, match="nothing to report"):
        write_campaign(Project.create(tmp_path))
