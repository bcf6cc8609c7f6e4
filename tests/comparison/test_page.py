"""The comparison page: its data, its size, and the file in a real browser without a network."""

import json
import re
import shutil
import time

import numpy as np
import pytest
from projects import Drawn, draw_wave, many

from wavebook_tools.comparison import comparison_item, write_comparison
from wavebook_tools.comparison.curves import curve, metrics_and_points
from wavebook_tools.comparison.data import collect
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
    item = json.dumps(comparison_item(draw_wave(tmp_path, drawn, goal=evil, directive=evil), [1]))
    assert evil not in item
    path = tmp_path / "comparison.html"
    write_comparison(draw_wave(tmp_path, drawn, wave=2, slug="b", goal="</title></script>" + evil), [2], path)
    assert evil not in path.read_text()


def test_a_hundred_long_runs_stay_small_and_quick(tmp_path):
    project = draw_wave(tmp_path, many(100), iterations=400)
    names, points = metrics_and_points(collect(project, [1]).experiments)
    assert names[0] == "Metrics/error_vel_xy"
    assert len(names) >= 10
    assert points >= 60
    path = tmp_path / "comparison.html"
    start = time.perf_counter()
    write_comparison(project, [1], path)
    assert time.perf_counter() - start < 20
    assert path.stat().st_size < 3_100_000  # of which BokehJS has 1.8


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
    write_comparison(draw_wave(root, EXPERIMENTS, iterations=120, rough=True), [1], path)
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
    page.wait_for_function("window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
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


def model(page, kind, name=None):
    """JavaScript for the first model of a kind, and of a name where one is given."""
    named = f" && m.name == '{name}'" if name else ""
    return f"[...Bokeh.documents[0].all_models].find(m => m.type == '{kind}'{named})"


@pytest.mark.browser
@pytest.mark.parametrize("opened", [{}, {"width": 900}, {"width": 1600, "dark": True}], indirect=True)
def test_the_file_draws_itself_without_a_network(opened):
    painted = opened.locator("canvas").evaluate_all(f"all => all.map({PAINTED})")
    assert sum(pixels > 1000 for pixels in painted) >= 8, "four curves and four final metrics"
    assert opened.get_by_role("heading", level=1).inner_text() == "Wave 1: Lower the velocity error on flat ground"
    assert opened.get_by_role("row", name="exp002 tracking-weight").count() == 1
    wide = opened.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page does not scroll sideways"


@pytest.mark.browser
def test_another_metric_smoothing_and_a_logarithmic_axis(opened):
    opened.locator("select").first.select_option(label="Value loss")
    source = f"{model(opened, 'GlyphRenderer', 'exp001 base')}.data_source"
    before = opened.evaluate(f"Array.from({source}.data.mean)")
    opened.evaluate(f"{model(opened, 'Slider')}.value = 20")
    after = opened.evaluate(f"Array.from({source}.data.mean)")
    assert len(before) == len(after) == 120
    assert np.abs(np.diff(after)).sum() < np.abs(np.diff(before)).sum()
    opened.locator(".bk-Switch .bk-body").click()
    assert opened.evaluate(f"{model(opened, 'Switch')}.active")
    scales = opened.evaluate(
        "[...Bokeh.documents[0].all_models].map(m => m.y_scale?.type).filter(t => t == 'LogScale')"
    )
    assert len(scales) == 4


@pytest.mark.browser
def test_the_legend_mutes_an_experiment_in_all_panels(opened):
    muted = "[...Bokeh.documents[0].all_models].filter(m => m.type == 'GlyphRenderer' && m.muted).map(m => m.name)"
    assert opened.evaluate(muted) == []
    opened.locator(".bk-item", has_text="exp002").click()
    names = opened.evaluate(muted)
    assert names.count("exp002 tracking-weight") == 4
    assert set(names) <= {"exp002 tracking-weight", None}


@pytest.mark.browser
def test_hovering_one_panel_marks_the_iteration_in_all(opened):
    box = opened.locator("select").first.bounding_box()
    opened.mouse.wheel(0, box["y"] - 200)
    opened.wait_for_timeout(200)
    box = opened.locator("select").first.bounding_box()
    opened.mouse.move(box["x"] + 200, box["y"] + 120)
    opened.mouse.move(box["x"] + 205, box["y"] + 122)
    spans = "[...Bokeh.documents[0].all_models].filter(m => m.type == 'Span').map(m => m.location)"
    opened.wait_for_function(f"{spans}.every(at => at > 0)")
    assert opened.evaluate(f"{spans}.length") == 1, "one line, shared by the panels"


def test_axis_titles_carry_units(page_file):
    labels = set(re.findall(r'"axis_label":"([^"]+)"', page_file.read_text()))
    assert {"m/s", "rad/s", "fraction", "level", "training iteration", "no unit"} <= labels
