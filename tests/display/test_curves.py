"""The curves that a training cell shows, executed by a real kernel."""

import base64
import json
import re
import textwrap
import time

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from wavebook_tools.display import BOKEH_MIME, LiveCurves

TRAINING = """
    from wavebook_tools.display import LiveCurves
    import time
    with LiveCurves(iterations=40, seconds=0.1) as curves:
        for i in range(40):
            curves.update(i, {"Train/mean_reward": i / 4, "Metrics/error_vel_xy": 1 / (i + 1)})
            time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def executed():
    """The notebook after its run, and how often its output was replaced while it ran."""
    updates = []

    class Client(NotebookClient):
        def process_message(self, msg, cell, cell_index):
            if msg["msg_type"] == "update_display_data":
                updates.append(msg["content"]["data"])
            return super().process_message(msg, cell, cell_index)

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(TRAINING))])
    Client(notebook, timeout=60, kernel_name="python3").execute()
    return notebook, updates


def test_the_curves_move_while_the_cell_runs_and_end_interactive(executed):
    _, updates = executed
    moving = [data for data in updates if BOKEH_MIME not in data]
    assert len(moving) >= 2
    assert len({data["text/html"] for data in moving}) == len(moving), "each drawing shows something new"
    assert BOKEH_MIME in updates[-1]


def test_only_the_final_state_is_saved(executed):
    notebook, _ = executed
    (output,) = notebook.cells[0].outputs
    item = json.loads(output.data[BOKEH_MIME]["item"])
    assert item["root_id"]
    assert "Iteration 40 of 40" in output.data["text/plain"]
    assert "Velocity error xy, training 0.025 m/s" in output.data["text/plain"]
    assert len(nbformat.writes(notebook)) < 60_000


def test_the_figure_runs_where_scripts_are_refused(executed):
    notebook, _ = executed
    item = notebook.cells[0].outputs[0].data[BOKEH_MIME]["item"]
    assert "CustomJS" not in item


def test_the_picture_shows_each_curve_with_its_unit(executed):
    notebook, _ = executed
    html = notebook.cells[0].outputs[0].data["text/html"]
    assert re.match(r'<img alt="Iteration 40 of 40; ', html)
    svg = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode()
    assert "Velocity error xy, training [m/s]" in svg
    assert svg.count("<polyline") == 2


def test_a_resumed_training_replaces_what_it_repeats():
    curves = LiveCurves(["Train/mean_reward"])
    for iteration, value in [(0, 1.0), (1, 2.0), (2, 3.0), (1, 20.0)]:
        curves.update(iteration, {"Train/mean_reward": value})
    x, columns = curves._columns()
    assert x.tolist() == [0, 1]
    assert columns["Train/mean_reward"].tolist() == [1.0, 20.0]


def test_values_that_are_missing_leave_gaps_and_new_names_join_in():
    curves = LiveCurves()
    curves.update(0, {"Train/mean_reward": None})
    curves.update(1, {"Train/mean_reward": float("nan"), "Curriculum/terrain_levels": 2.0})
    curves.update(2, {})
    _, columns = curves._columns()
    assert np.isnan(columns["Train/mean_reward"]).all()
    np.testing.assert_array_equal(columns["Curriculum/terrain_levels"], [np.nan, 2.0, np.nan])
    bundle = curves.bundle()
    assert "NaN" not in bundle[BOKEH_MIME]["item"]


def test_an_update_costs_next_to_nothing():
    # Three percent of an iteration of 0.3 s are 9 ms; an update that does not draw must stay far below.
    curves = LiveCurves()
    values = {f"Episode_Reward/term_{n}": 0.5 for n in range(30)}
    start = time.perf_counter()
    for iteration in range(1000):
        curves.update(iteration, values)
    assert (time.perf_counter() - start) / 1000 < 1e-3
