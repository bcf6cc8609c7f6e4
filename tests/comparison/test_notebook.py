"""The comparison in a notebook's cell, and the report that a wave leaves."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary
from projects import Drawn, draw_wave

from wavebook_tools.comparison import compare, write_report
from wavebook_tools.comparison.__main__ import main
from wavebook_tools.display import BOKEH_MIME, LiveCurves
from wavebook_tools.errors import NotFoundError, UsageError
from wavebook_tools.records.plan import Prediction

EXPERIMENTS = [
    Drawn("base", {0: 0.30, 1: 0.31, 2: 0.305}, baseline=True),
    Drawn(
        "heavier",
        {0: 0.20, 1: 0.21},
        {"env.x": 2.5},
        fields={"prediction": Prediction(metric="error_vel_xy", direction="down", by=0.1)},
    ),
    Drawn(
        "crash",
        {0: "failed"},
        {"env.x": 9.0},
        hypothesis="<script>alert(1)</script> [x](javascript:alert(1)) | # `a`",
    ),
]


SAFETY = Path(__file__).resolve().parents[2] / "extension" / "src" / "bokeh" / "safety.ts"


def safe_models():
    """The models that JupyterLab's renderer draws without trust."""
    return set(re.search(r"SAFE_MODELS.*?`(.*?)`", SAFETY.read_text(), re.DOTALL)[1].split())


def models(bundle, item="item"):
    """The models that a Bokeh document holds."""
    return set(re.findall(r'"type":"object","name":"(\w+)"', bundle[BOKEH_MIME][item]))


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))  # the notary's secret and signatures
    return draw_wave(tmp_path / "project", EXPERIMENTS)


def test_a_cell_compares_a_wave_by_number_folder_or_experiment(project, monkeypatch):
    folder = project.wave(1).path
    monkeypatch.chdir(folder / "exp002-heavier" / "s0")
    for named in ([], [1], ["1"], [folder], ["waves/001-tracking"]):
        text = repr(compare(*named))
        assert "exp001 base" in text
        assert "exp002 heavier" in text
    both = repr(compare("exp002", folder / "exp001-base"))
    assert "exp001 base" in both
    assert "exp003" not in both
    assert "exp001 base" in repr(compare(1, "exp002"))  # a wave is whole, whatever is named beside it
    with pytest.raises(UsageError, match=r"'exp009' is neither a wave nor an experiment"):
        compare("exp009")
    with pytest.raises(UsageError, match="neither"):
        compare("/etc")
    with pytest.raises(NotFoundError, match="no wave 4"):
        compare(4)


def test_outside_a_project_a_cell_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match="not in a Wavebook project"):
        compare(1)


def test_the_cell_is_useful_without_scripts_and_without_the_extension(project):
    table, figures = compare(1, project=project).bundles
    assert "<table" in table["text/html"]
    assert 'alt="Learning curves of 3 experiments' in figures["text/html"]
    assert models(figures) <= safe_models()
    assert {"CustomJS", "CheckboxGroup"} <= models(figures, "trusted"), "who trusts the notebook gets all of it"
    told = "what ranks is the velocity error"
    assert told in table["text/html"]
    assert told not in figures[BOKEH_MIME]["trusted"], "it stands above already"
    assert len(json.dumps([table, figures])) < 600_000


def test_a_wave_that_has_not_begun_is_a_table_alone(tmp_path):
    project = draw_wave(tmp_path, [Drawn("base", {0: "queued"}, baseline=True)])
    (table,) = compare(1, project=project).bundles
    assert "pending" in table["text/plain"]


def test_a_cell_shows_table_and_figures(project):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("from wavebook_tools.comparison import compare\ncompare(1)")]
    )
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(project.root)}}).execute()
    table, figures = notebook.cells[0].outputs
    assert "exp002 heavier" in table.data["text/plain"]
    assert BOKEH_MIME in figures.data


def test_the_report_tells_what_was_asked_found_and_what_failed(project):
    path = write_report(project, 1)
    assert path == project.wave(1).path / "report.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    text = "\n\n".join(cell.source for cell in notebook.cells)
    assert "make DHAV1 track velocity better" in text
    assert "| exp002 heavier | ✓ better | 0.205 | −0.100 |" in text
    assert "exp002 heavier lowers the velocity error by 0.100 m/s (33%)" in text
    assert "goes down by 10% held" in text
    assert "`exp003/s0` failed: the run was made to be failed" in text
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "<table" in cell.outputs[0].data["text/html"]
    assert BOKEH_MIME in cell.outputs[1].data
    assert cell.execution_count == 1


def test_the_report_is_signed_and_holds_no_markup_of_a_plan(project):
    notebook = nbformat.read(write_report(project, 1), as_version=4)
    assert NotebookNotary().check_signature(notebook)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "<script>" not in text
    assert "](javascript" not in text


def test_running_the_reports_cell_makes_the_same_comparison(project, monkeypatch):
    path = write_report(project, 1)
    (cell,) = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    monkeypatch.chdir(path.parent)
    scope = {}
    exec(cell.source.replace("compare(1)", "figure = compare(1)"), scope)
    assert scope["figure"].text == cell.outputs[0].data["text/plain"]


def test_a_report_that_a_person_changed_is_kept(project):
    path = write_report(project, 1)
    write_report(project, 1)
    assert [p.name for p in path.parent.glob("report*.ipynb")] == ["report.ipynb"]
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("My own thoughts"))
    nbformat.write(notebook, path)
    write_report(project, 1)
    assert "My own thoughts" in (path.parent / "report-kept-1.ipynb").read_text()
    assert "My own thoughts" not in path.read_text()


def test_the_module_writes_page_and_report(project, capsys):
    assert main([str(project.root), "1"]) == 0
    assert project.wave(1).comparison_path.stat().st_size > 1_000_000
    assert project.wave(1).report_path.exists()
    assert main([str(project.root), "5"]) == 2
    assert "no wave 5" in capsys.readouterr().err
    assert main([]) == 2


def test_live_curves_are_drawn_without_trust():
    curves = LiveCurves()
    for iteration in range(3):
        curves.update(iteration, {"Train/mean_reward": 1.0, "Curriculum/terrain_levels": 2.0})
    assert {"Figure", "Line"} <= models(curves.bundle()) <= safe_models()
