"""The comparison page: its data, its size, and the file in a real browser without a network."""

import csv
import json
import re
import shutil
import struct
import time
import zlib

import numpy as np
import pytest
from bokeh.models.widgets import Div
from projects import Drawn, draw_wave, many

from wavebook_tools.comparison import comparison_item, write_comparison
from wavebook_tools.comparison.curves import Curve, curve, metrics_and_points
from wavebook_tools.comparison.data import collect
from wavebook_tools.comparison.packing import pack
from wavebook_tools.comparison.page import comparison_layout
from wavebook_tools.comparison.sensitivity import code_parameters, importance_bars
from wavebook_tools.errors import WavebookError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

EXPERIMENTS = [
    Drawn("base", {0: 0.30, 1: 0.31}, baseline=True),
    Drawn("tracking-weight", {0: 0.21}, {"env.rewards.track_lin_vel_xy_exp.weight": 3.5}),
    Drawn("broken", {0: "failed"}, {"agent.algorithm.learning_rate": 0.1}),
]


def test_a_curve_is_the_mean_over_seeds_with_their_span(tmp_path):
    project = draw_wave(tmp_path, EXPERIMENTS)
    experiment = collect(project, [1]).experiments[0]
    name = "Train/mean_reward"
    one = curve(experiment, name, 1000)
    seeds = np.array([run.history[name] for run in experiment.runs])
    np.testing.assert_allclose(one.mean, seeds.mean(axis=0))
    np.testing.assert_allclose(one.low, seeds.min(axis=0))
    np.testing.assert_allclose(one.high, seeds.max(axis=0))
    assert one.x.tolist() == list(range(60))


def test_a_running_seed_does_not_make_the_mean_jump(tmp_path):
    project = draw_wave(tmp_path, [Drawn("both", {0: "running", 1: "running"}), Drawn("one", {0: 0.3, 1: "running"})])
    both, one = collect(project, [1]).experiments
    shorter = both.runs[1].record.events_path
    shorter.write_text("".join(shorter.read_text().splitlines(keepends=True)[:11]))  # a state and ten iterations
    assert curve(both, "Train/mean_reward", 100).x.max() == 9
    finished = one.runs[0].history["Train/mean_reward"]
    np.testing.assert_array_equal(curve(one, "Train/mean_reward", 100).mean, finished)


def test_the_item_for_the_panel_is_json_with_everything_in_it(tmp_path):
    item = comparison_item(draw_wave(tmp_path, EXPERIMENTS), [1])
    text = json.dumps(item, allow_nan=False)
    assert item["root_id"]
    for expected in ("exp002 tracking-weight", "Velocity error xy, training", "m/s", "track_lin_vel_xy_exp"):
        assert expected in text


def test_text_of_a_plan_cannot_become_markup(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    drawn = [Drawn("base", {0: 0.3}, {"env.x": evil}, baseline=True, hypothesis=evil), Drawn("b", {0: 0.2})]
    project = draw_wave(tmp_path, drawn, goal=evil, directive=evil)
    layout = comparison_layout(collect(project, [1]))
    texts = [text.text for text in layout.select({"type": Div})]
    assert len(texts) > 3
    assert not any(evil in text for text in texts), "the one model whose text is HTML"
    path = tmp_path / "comparison.html"
    write_comparison(draw_wave(tmp_path, drawn, wave=2, slug="b", goal="</title></script>" + evil), [2], path)
    assert evil not in path.read_text()


def test_packed_curves_are_unpacked_as_they_were():
    x = np.array([0, 3, 400, 70_000 - 30_000])
    one = Curve(x, np.array([1e-7, -3.25, np.nan, 8e9]), x - 1.5, x + 1e-3, banded=True)
    empty = Curve(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0))
    packed = pack([one, empty, one])
    planes = np.frombuffer(zlib.decompress(packed.block.tobytes()), np.uint8).reshape(-1, 8)
    assert packed.counts.tolist() == [4, 0, 4]
    assert packed.banded.tolist() == [1, 0, 1]
    steps = planes[0].astype(int) | planes[1].astype(int) << 8
    assert np.cumsum(steps[:4]).tolist() == x.tolist()
    for column, first in ((one.mean, 2), (one.low, 5), (one.high, 8)):
        bits = sum(planes[first + byte].astype(np.uint32) << 8 * (byte + 1) for byte in range(3))
        np.testing.assert_allclose(bits[4:].astype("<u4").view("<f4"), column, rtol=2**-15.9)


def test_a_window_holds_every_iteration_in_it(tmp_path):
    experiment = collect(draw_wave(tmp_path, EXPERIMENTS, iterations=300), [1]).experiments[0]
    assert curve(experiment, "Train/mean_reward", 400, window=(100, 110)).x.tolist() == list(range(99, 112))
    assert len(curve(experiment, "Train/mean_reward", 8).x) <= 8


def test_importance_tells_what_goes_with_the_error_from_what_does_not(tmp_path):
    drawn = [
        Drawn(f"e{n}", {0: 0.3 - 0.02 * n}, {"env.a": float(n), "env.b": float(n * 7 % 5), "env.c": "xy"[n // 4]})
        for n in range(8)
    ]
    a, c, b = code_parameters(collect(draw_wave(tmp_path, drawn), [1]).experiments)
    assert (a.name, a.importance, a.sign) == ("env.a", pytest.approx(1), -1)
    assert (c.name, c.choices, c.sign) == ("env.c", ("x", "y"), 0)
    assert c.importance == pytest.approx((16 / 21) ** 0.5)  # ranks 0-3 and 4-7: 32 of 42 lie between the groups
    assert b.name == "env.b"
    assert b.importance < 0.5
    # A parameter that differs in nothing but a run without a result goes with nothing.
    broken = Drawn("broken", {0: "failed"}, {"env.d": 1.0})
    some = [Drawn(e.slug, e.seeds, {**e.overrides, "env.d": 0.0}) for e in drawn]
    (*_, d) = code_parameters(collect(draw_wave(tmp_path / "some", [*some, broken]), [1]).experiments)
    assert (d.name, d.sign) == ("env.d", 0)
    assert np.isnan(d.importance)
    few = code_parameters(collect(draw_wave(tmp_path / "few", drawn[:3]), [1]).experiments)
    assert all(np.isnan(one.importance) for one in few)
    plot = importance_bars([a, c, b])
    assert plot is not None
    assert plot.legend[0] in plot.below  # not over the bars, which may fill the figure


def test_a_hundred_long_runs_stay_small_and_quick(tmp_path):
    project = draw_wave(tmp_path, many(100), iterations=400)
    names, points = metrics_and_points(collect(project, [1]).experiments)
    assert names[0] == "Metrics/error_vel_xy"
    assert len(names) == 21, "all of them"
    assert points >= 60
    path = tmp_path / "comparison.html"
    start = time.perf_counter()
    write_comparison(project, [1], path)
    assert time.perf_counter() - start < 20
    assert path.stat().st_size < 3_000_000  # of which BokehJS has 1.8


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    project = draw_wave(tmp_path, EXPERIMENTS)
    (tmp_path / "file").write_text("")
    with pytest.raises(WavebookError, match="cannot write"):
        write_comparison(project, [1], tmp_path / "file" / "comparison.html")
    assert (tmp_path / "file").read_text() == ""


def test_a_wave_that_has_not_begun_has_a_page(tmp_path):
    path = tmp_path / "comparison.html"
    write_comparison(draw_wave(tmp_path, [Drawn("base", {0: "queued"}, baseline=True)]), [1], path)
    assert "No iteration has been recorded yet" in path.read_text()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium here; `make test` installs it")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    path = root / "comparison.html"
    draw_wave(root, EXPERIMENTS, iterations=120, rough=True)
    later = [
        Drawn("next", {0: 0.20, 1: 0.22}, {"env.rewards.track_lin_vel_xy_exp.weight": 4.5}),
        Drawn("slow", {0: 0.26}, {"agent.algorithm.learning_rate": 0.0005}),
    ]
    write_comparison(draw_wave(root, later, wave=2, parent=1, slug="later", iterations=120, rough=True), [1, 2], path)
    return path


@pytest.fixture
def opened(browser, page_file, request):
    """The page opened from disk with the network off; a request that leaves the file fails the test."""
    options = getattr(request, "param", {})
    context = browser.new_context(viewport={"width": options.get("width", 1200), "height": 900}, offline=True)
    page = context.new_page()
    if options.get("dark"):
        page.emulate_media(color_scheme="dark")
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_function(f"window.Bokeh && Bokeh.documents[0]?.is_idle && {CURVES}.data.xs[0].length > 0")
    yield page
    assert said == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}
    context.close()


PAINTED = """canvas => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  let painted = 0
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) painted++
  return painted
}"""

MODELS = "[...Bokeh.documents[0].all_models]"
CURVES = f"{MODELS}.find(m => m.name == 'mean').data_source"
"""The source of the first panel's lines."""


@pytest.mark.browser
@pytest.mark.parametrize("opened", [{"width": 900}, {"width": 1600, "dark": True}], indirect=True)
def test_the_file_draws_itself_without_a_network(opened):
    painted = opened.locator("canvas").evaluate_all(f"all => all.map({PAINTED})")
    # Four curves, four final metrics, reward terms, terrains, parallel coordinates, scatter, importance, lineage.
    assert sum(pixels > 1000 for pixels in painted) >= 14
    assert (
        opened.get_by_role("heading", level=1).first.inner_text() == "Wave 1: Lower the velocity error on flat ground"
    )
    assert opened.get_by_role("row", name="exp002 tracking-weight").count() == 1
    wide = opened.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page does not scroll sideways"


@pytest.mark.browser
def test_another_metric_smoothing_and_logarithmic_axes(opened):
    opened.get_by_label("Panel 1").select_option(label="Value loss")
    values = f"Array.from({CURVES}.data.ys[0])"
    before = opened.evaluate(values)
    opened.get_by_label("Smoothing").fill("20")
    opened.get_by_label("Smoothing").press("Tab")
    opened.wait_for_function(f"{values}[50] != {before[50]}")
    after = opened.evaluate(values)
    assert len(before) == len(after) == 120
    assert np.abs(np.diff(after)).sum() < np.abs(np.diff(before)).sum()
    opened.get_by_label("Logarithmic values").check()
    opened.get_by_label("Logarithmic iterations").check()
    count = f"{MODELS}.filter(m => m.x_scale?.type == 'LogScale' && m.y_scale?.type == 'LogScale').length"
    opened.wait_for_function(f"{count} == 4")


@pytest.mark.browser
def test_legend_filters_selection_and_parameters_tie_the_figures_together(opened):
    def column(name):
        return opened.evaluate(f"{CURVES}.data.{name}")

    labels = column("label")
    row = labels.index("exp002 tracking-weight")
    opened.get_by_label("exp002 tracking-weight").uncheck()
    opened.wait_for_function(f"{CURVES}.data.alpha[{row}] < 0.2")
    assert sum(alpha == 1 for alpha in column("alpha")) == len(labels) - 1

    # A click on a mean in the final metrics selects its experiment in curves and parallel coordinates.
    glyph = f"n => {MODELS}.find(m => m.name == n && m.data_source)"
    selected = f"['mean', 'parallel', 'scatter'].map({glyph}).map(m => m.data_source.selected.indices)"
    opened.evaluate(f"{MODELS}.find(m => m.name == 'scatter' && m.data_source).data_source.selected.indices = [{row}]")
    opened.wait_for_function(f"JSON.stringify({selected}) == '[[{row}],[{row}],[{row}]]'")

    opened.get_by_label("Wave", exact=True).select_option("2")
    factors = f"{MODELS}.find(m => m.name == 'final').y_range.factors"
    opened.wait_for_function(f"{factors}.length == 2")
    assert sorted(opened.evaluate(factors)) == ["exp004 next", "exp005 slow"]
    assert not opened.get_by_label("exp002 tracking-weight").is_visible()
    assert opened.get_by_role("row", name="exp002").count() == 0

    opened.get_by_label("Parameter").select_option(label="algorithm.learning_rate")
    opened.wait_for_function(
        f"{MODELS}.find(m => m.name == 'scatter' && m.data_source).data_source.data.text.includes('0.0005')"
    )
    drawn = f"{MODELS}.find(m => m.name == 'rewards' && m.data_source).data_source.data"
    before = opened.evaluate(f"{drawn}.last")
    opened.get_by_label("Experiment").select_option(label="exp003 broken")
    opened.wait_for_function(f"{drawn}.last[0] != {before[0]}")
    assert len(before) == 10


@pytest.mark.browser
def test_sentences_stand_where_filters_leave_nothing_to_draw(opened):
    """That the console stays quiet is checked as the page is closed: Bokeh complains of figures without data."""
    shown = f"n => {MODELS}.filter(m => m.name == n && m.type == 'Figure').every(m => m.visible && !m.hold_render)"
    evaluated = "None of the experiments that the filters show has been evaluated."
    opened.get_by_label("State", exact=True).select_option("failed")
    opened.get_by_text(evaluated).nth(2).wait_for(state="visible")
    for name in ("final", "terrains", "scatter"):
        assert not opened.evaluate(shown, name)
    assert opened.evaluate(shown, "parallel")
    opened.get_by_label("Wave", exact=True).select_option("2")
    for text in ("No experiment fits all filters.", "has recorded an iteration."):
        opened.get_by_text(text).first.wait_for(state="visible")
    opened.get_by_label("State", exact=True).select_option(label="all")
    opened.get_by_text(evaluated).first.wait_for(state="hidden")
    for name in ("final", "terrains", "scatter", "parallel"):
        assert opened.evaluate(shown, name)
    # Two frames: figures are drawn in the next, and may complain then.
    opened.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.browser
def test_hovering_marks_the_iteration_and_the_experiment_in_all_figures(opened):
    canvas = opened.locator(".bk-Figure").filter(has=opened.locator("canvas")).nth(4)
    canvas.scroll_into_view_if_needed()
    x, y = opened.evaluate(
        f"""() => {{
          const panel = v => v.model.type == 'Figure' && v.model.renderers.some(r => r.name == 'mean')
          const view = [...Bokeh.index.query(panel)][0]
          const {{left, top}} = view.el.getBoundingClientRect()
          const {{xs, ys}} = {CURVES}.data
          return [left + view.frame.x_scale.compute(xs[0][60]), top + view.frame.y_scale.compute(ys[0][60])]
        }}"""
    )
    opened.mouse.move(x + 4, y)
    opened.mouse.move(x, y)
    spans = f"{MODELS}.filter(m => m.type == 'Span').map(m => m.location)"
    opened.wait_for_function(f"{spans}.every(at => at > 0)")
    assert opened.evaluate(f"{spans}.length") == 1, "one line, shared by the panels"
    marked = f"{MODELS}.filter(m => m.type == 'ColumnDataSource' && m.data.colour?.length == 1).length"
    opened.wait_for_function(f"{marked} == 4 + 4 + 2")  # panels, final metrics, parallel coordinates and scatter
    first = opened.evaluate(f"{CURVES}.data.label[0]")
    assert "marked" in opened.get_by_role("row", name=first).get_attribute("class")
    # And the other way round: the table's rows mark, a click on one selects.
    other = opened.evaluate(f"{CURVES}.data.label[2]")
    row = opened.get_by_role("row", name=other)
    row.hover()
    colour = f"{MODELS}.find(m => m.type == 'ColumnDataSource' && m.data.xs?.length == 1).data.colour[0]"
    opened.wait_for_function(f"{colour} == {CURVES}.data.colour[2]")
    row.click()
    opened.wait_for_function(f"String({CURVES}.selected.indices) == '2'")
    bars = f"{MODELS}.find(m => m.name == 'terrains' && m.data_source).data_source"
    chosen = f"Array.from({bars}.selected.indices, at => {bars}.data.row[at])"
    assert set(opened.evaluate(chosen)) <= {2}
    assert opened.get_by_label("Experiment").input_value() == other
    row.click()
    opened.wait_for_function(f"{CURVES}.selected.indices.length == 0")


@pytest.mark.browser
def test_bars_seeds_and_lineage_select_and_fade_like_the_lines(opened):
    glyph = f"n => {MODELS}.find(m => m.name == n && m.data_source).data_source"
    bars, dots = f"({glyph})('terrains')", f"({glyph})('lineage')"
    row = opened.evaluate(f"{bars}.data.row[0]")
    opened.evaluate(f"{bars}.selected.indices = [0]")
    opened.wait_for_function(f"String({CURVES}.selected.indices) == '{row}'")
    for source in (bars, dots):
        opened.wait_for_function(
            f"new Set(Array.from({source}.selected.indices, at => {source}.data.row[at])).size == 1"
        )
    assert opened.evaluate(f"{bars}.selected.indices.length") == 2, "on both kinds of ground"
    opened.evaluate(f"{bars}.selected.indices = []")
    opened.wait_for_function(f"{CURVES}.selected.indices.length == 0")

    opened.get_by_label(opened.evaluate(f"{CURVES}.data.label[{row}]")).uncheck()
    for source in (bars, dots):
        faded = f"Array.from({source}.data.alpha).every((a, at) => (a < 0.2) == ({source}.data.row[at] == {row}))"
        opened.wait_for_function(faded)


@pytest.mark.browser
def test_panels_follow_the_one_that_is_dragged(opened):
    ranges = f"{MODELS}.filter(m => m.type == 'Figure' && m.renderers.some(r => r.name == 'mean')).map(m => m.x_range)"
    opened.evaluate(f"{ranges}[1].setv({{start: 20, end: 70}})")
    opened.wait_for_function(f"{ranges}.length == 4 && {ranges}.every(r => r.start == 20 && r.end == 70)")
    # A busy browser: the figures beside it are told only when it rests, and one of them must not lead from then on.
    opened.evaluate(
        f"""async () => {{
          const range = {ranges}[1]
          range.setv({{start: 30, end: 80}})
          await new Promise(done => setTimeout(done))
          for (const began = performance.now(); performance.now() - began < 500;);
          await new Promise(done => setTimeout(done, 50))
          range.setv({{start: 40, end: 90}})
        }}"""
    )
    opened.wait_for_function(f"{ranges}.every(r => r.start == 40 && r.end == 90)", timeout=8000)


@pytest.mark.browser
def test_a_mark_lies_above_a_zoomed_figure_and_stays_in_its_frame(opened):
    panel = "[...Bokeh.index.query(v => v.model.type == 'Figure' && v.model.renderers.some(r => r.name == 'mean'))][0]"
    opened.evaluate(f"{panel}.model.x_range.setv({{start: 40, end: 60}})")
    opened.wait_for_timeout(600)
    opened.get_by_role("row", name=opened.evaluate(f"{CURVES}.data.label[0]")).hover()
    painted = f"""() => {{
      const view = {panel}, {{canvas}} = view.canvas_view.overlays, {{left, right}} = view.frame.bbox
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {{willReadFrequently: true}})
      copy.drawImage(canvas, 0, 0)
      const {{data}} = copy.getImageData(0, 0, canvas.width, canvas.height), found = [0, 0]
      for (let i = 3; i < data.length; i += 4) {{
        const x = ((i >> 2) % canvas.width) * view.bbox.width / canvas.width
        if (data[i] > 0) found[x >= left - 1 && x <= right + 1 ? 0 : 1]++
      }}
      return found
    }}"""
    opened.wait_for_function(f"({painted})()[0] > 100")
    assert opened.evaluate(painted)[1] == 0


@pytest.mark.browser
def test_what_was_chosen_goes_over_to_the_page_that_follows(opened):
    """As in JupyterLab, when a run has ended and the comparison is drawn again."""
    label = opened.evaluate(f"{CURVES}.data.label[1]")
    opened.get_by_label("Panel 2").select_option(label="Value loss")
    opened.get_by_label(label).uncheck()
    opened.get_by_role("row", name=label).click()
    opened.get_by_label("Wave", exact=True).select_option("1")
    state = f"{MODELS}.find(m => m.name == 'wavebook-state')"
    opened.wait_for_function(f'{state}.data.state[0]?.includes(\'["wave","1"]\')')
    kept = opened.evaluate(f"{state}.data.state[0]")
    opened.reload()
    opened.wait_for_function(f"window.Bokeh && Bokeh.documents[0]?.is_idle && {CURVES}.data.xs[0].length > 0")
    opened.evaluate(f"kept => {{ {state}.data = {{ state: [kept] }} }}", kept)
    opened.wait_for_function(f"String({CURVES}.selected.indices) == '1'")
    assert opened.get_by_label("Panel 2").input_value() == "Value loss"
    assert opened.get_by_label("Wave", exact=True).input_value() == "1"
    assert opened.evaluate(f"{CURVES}.data.alpha[1]") < 0.2


@pytest.mark.browser
@pytest.mark.parametrize("opened", [{"width": 600}], indirect=True)
def test_a_narrow_page_cuts_nothing_off(opened):
    wide = opened.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    for label in ("Wave", "State", "Reward preset"):
        choice = opened.get_by_label(label, exact=True)
        if choice.count():
            box = choice.bounding_box()
            assert box["x"] + box["width"] <= 600
    slant = f"{MODELS}.find(m => m.name == 'parallel' && m.below).below[0].major_label_orientation"
    opened.wait_for_function(f"{slant} == 0.4")


@pytest.mark.browser
def test_an_open_file_follows_a_change_of_the_systems_colours(opened):
    seen = "[...Bokeh.index.query(v => v.model.name == 'final')][0].export('png').canvas.toDataURL()"
    light = opened.evaluate(seen)
    opened.evaluate(
        "[...Bokeh.index.query(v => v.model.name == 'final')][0].request_repaint = () => { window.repainted = true }"
    )
    opened.emulate_media(color_scheme="dark")
    opened.wait_for_function("window.repainted")
    assert opened.evaluate(seen) != light


@pytest.mark.browser
def test_table_curves_and_figures_can_be_taken_along(opened, tmp_path):
    saved = {}
    for button in ("Table as CSV", "Shown curves as CSV", "Figures as PNG"):
        with opened.expect_download() as download:
            opened.get_by_role("button", name=button).click()
        saved[button] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[button])
    table = list(csv.DictReader(saved["Table as CSV"].read_text("utf-8-sig").splitlines()))
    assert {row["experiment"]: row["verdict"] for row in table}["exp003 broken"] == "failed"
    curves = list(csv.DictReader(saved["Shown curves as CSV"].read_text("utf-8-sig").splitlines()))
    assert {row["experiment"] for row in curves} == {f"exp00{n}" for n in range(1, 6)}
    assert len({row["metric"] for row in curves}) == 4
    # Figures that stand beside each other in the page do so in the picture.
    boxes = opened.evaluate(
        f"{MODELS}.filter(m => m.type == 'Figure').map(m => [...Bokeh.index.query(v => v.model == m)][0].el)"
        ".map(el => { const { width, height } = el.getBoundingClientRect(); return [width, height] })"
    )
    width, height = struct.unpack(">II", saved["Figures as PNG"].read_bytes()[16:24])
    assert width == pytest.approx(max(wide for wide, _ in boxes), abs=2)
    halves = [high for wide, high in boxes if wide < 0.6 * width]
    assert len(halves) >= 8
    assert height < sum(high for _, high in boxes) - 0.4 * sum(halves)
    assert height > sum(high for wide, high in boxes if wide >= 0.6 * width)


def test_axis_titles_carry_units(page_file):
    labels = set(re.findall(r'"axis_label":"([^"]+)"', page_file.read_text()))
    assert {"m/s", "rad/s", "fraction", "level", "training iteration", "no unit"} <= labels
