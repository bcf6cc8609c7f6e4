"""How fast a page opens and moves, in a real Chromium."""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from wavebook_tools.errors import WavebookError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
PATIENCE = 300_000  # ms

_FRAMES = """place => {
  window.frames = []
  const look = new Function(`return ${place}`)
  const tick = now => { window.frames.push([now, look()]); window.ticking = requestAnimationFrame(tick) }
  window.ticking = requestAnimationFrame(tick)
}"""

FIRST_STEP = 20
"""What Bokeh takes for a drag at once [px]; from 5 px on it is one only if the browser is quick."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium without a window.

    Raises:
        WavebookError: Playwright or Chromium is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise WavebookError("this benchmark drives a browser: pip install 'wavebook[dev]'") from error
    path = os.environ.get("WAVEBOOK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise WavebookError("no Chromium found: install Debian's package `chromium`, or name it in WAVEBOOK_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, address: str, ready: str) -> tuple[Page, dict[str, float]]:
    """Open an address and wait until the JavaScript expression ``ready`` holds.

    Returns:
        The page, and from the navigation's start: first contentful paint, ready, and from the one to the other [s];
        and the processor time that the browser took, which others' load on the machine changes less.
    """
    before = processor_seconds()
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(
        f"(() => {{ const look = () => {{ let held = false; try {{ held = !!({ready}) }} catch {{}}; "
        "if (held) window.readyAt = performance.now(); else requestAnimationFrame(look) }; look() })()"
    )
    page.goto(address)
    page.wait_for_function("window.readyAt > 0")
    first, at = page.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0, window.readyAt]"
    )
    seconds = {"first_paint": first / 1000, "drawn": at / 1000, "drawn_after_paint": max(0.0, at - first) / 1000}
    seconds["processor"] = processor_seconds() - before
    return page, {name: round(value, 3) for name, value in seconds.items()}


def pan(page: Page, x: float, y: float, place: str, *, seconds: float = 3.0) -> dict[str, float]:
    """Drag to and fro from a point of the page and count the frames that the browser drew meanwhile.

    Args:
        place: A JavaScript expression for where the figure is, which changes as it moves.

    Returns:
        `frame_rate`, how often a second the figure was seen elsewhere, and the processor time of a frame [ms]. The
        pointer is moved again once the browser has answered its last move, so the figure can move no oftener.

    Raises:
        WavebookError: The figure did not move, or no frame was drawn.
    """
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + FIRST_STEP, y)
    page.evaluate(_FRAMES, place)
    ends, before = time.monotonic() + seconds, processor_seconds()
    step = 0
    while time.monotonic() < ends:
        step += 1
        page.mouse.move(x + 100 * abs((step % 40) / 20 - 1), y)
    frames: list[tuple[float, float]] = page.evaluate("(cancelAnimationFrame(window.ticking), window.frames)")
    spent = processor_seconds() - before
    page.mouse.up()
    times, places = [at for at, _ in frames], [place for _, place in frames]
    moves = sum(earlier != later for earlier, later in itertools.pairwise(places))
    rate = frame_rate(times)
    if moves == 0:
        raise WavebookError("the figure did not move while it was dragged; give it more --pan-seconds")
    return {
        **rate,
        "moves_per_second": round(1000 * moves / (times[-1] - times[0]), 1),
        "processor_ms_per_frame": round(1000 * spent / len(times), 1),
    }


def processor_seconds() -> float:
    """Processor time of the browsers that this process has started, on all cores [s]."""
    spent = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name():
                times = process.cpu_times()
                spent += times.user + times.system
        except psutil.Error:  # it has just ended
            pass
    return spent


def frame_rate(times: list[float]) -> dict[str, float]:
    """Frames a second over all, and the slowest of them but one in twenty.

    Args:
        times: When each frame began [ms].
    """
    gaps = sorted(after - before for before, after in itertools.pairwise(times))
    if not gaps:
        raise WavebookError("the browser drew no frame while the figure was dragged; give it more --pan-seconds")
    slow = gaps[int(0.95 * (len(gaps) - 1))]
    return {"frames_per_second": round(1000 / statistics.fmean(gaps), 1), "slow_frame_ms": round(slow, 1)}
