"""A real Chromium on a real JupyterLab."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.lab import Lab
from tests.queues import end_queues
from wavebook_tools.records.project import Project

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL without a GPU
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PATIENCE = 20_000
"""How long a page may take for what a test expects next, on a machine that trains beside it [ms]."""

ARTIFACTS = Path(__file__).resolve().parents[2] / "test-artifacts"


# pytest-jupyter starts an event loop for every test, in which Playwright's own cannot run.
@pytest.fixture
def jp_asyncio_loop() -> None:
    return None


@pytest.fixture
def jp_server_cleanup() -> None:
    return None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("WAVEBOOK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium found: install Debian's package `chromium`, or name one in WAVEBOOK_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def start_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Project], Lab]]:
    """Start JupyterLab on a project; it ends with the module."""
    labs: list[Lab] = []

    def start(project: Project) -> Lab:
        labs.append(Lab(project, tmp_path_factory.mktemp("home")))
        return labs[-1]

    yield start
    for lab in labs:
        lab.stop()
        end_queues(lab.project.root)


@pytest.fixture
def open_lab(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a workspace of its own in a browser that has seen nothing before. The console must stay quiet."""
    said: list[str] = []
    pages: list[Page] = []
    workspaces = itertools.count()

    def listen(message: ConsoleMessage) -> None:
        # A browser reports every refusal of a route by itself; the panel tells it in words.
        refused = "Failed to load resource" in message.text and "/wavebook/api/" in message.location.get("url", "")
        if message.type in {"error", "warning"} and not refused:
            said.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def notice(lab: Lab, request: Request) -> None:
        lab.opened_notebook |= request.url.startswith(f"{lab.address}api/nbconvert")

    def start(lab: Lab, *, width: int = 1280, height: int = 800) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.add_init_script(CATCH_BOKEH)
        page.set_default_timeout(PATIENCE)
        page.on("console", listen)
        page.on("request", lambda request: notice(lab, request))
        page.on("pageerror", lambda error: said.append(f"exception: {error.stack or error}"))
        page.goto(lab.url(f"test-{os.getpid()}-{id(context)}-{next(workspaces)}"))
        pages.append(page)
        return page

    yield start
    for page in pages:
        page.context.close()
    noise = [line for line in said if not any(known in line for known in (*JUPYTERLAB_SAYS, BOKEH_SAYS, CHROMIUM_SAYS))]
    assert noise == [], "the browser's console was not quiet"


# The extension keeps its BokehJS out of the page's globals; this remembers it on the way, to look into its documents.
CATCH_BOKEH = """
let bokeh;
Object.defineProperty(window, 'Bokeh', {
  configurable: true,
  get: () => bokeh,
  set: value => { bokeh = value; if (value) window.caughtBokeh = value; }
});
"""

# What JupyterLab itself says without any extension.
# React in JupyterLab's own core, now and then, when an output is replaced while it is being drawn.
# How long its plug-ins take on a busy machine.
# Its debugger, when a kernel is shut down while it is asked for breakpoints.
JUPYTERLAB_SAYS: tuple[str, ...] = (
    "Failed to execute 'removeChild' on 'Node'",
    "to activate.",
    "Could not restore the debugger state: Canceled future for debug_request",
)

BOKEH_SAYS = ").remove(): view was already destroyed"
"""BokehJS 3.10 removes the view of an axis label twice where a label was replaced before its figure goes."""

CHROMIUM_SAYS = "GL Driver Message (OpenGL, Performance"
"""What Chromium says as a test takes a picture of what it draws without a GPU."""


@pytest.fixture
def artifact() -> Callable[[str], Path]:
    """Where a picture for people goes."""

    def path(name: str) -> Path:
        ARTIFACTS.mkdir(exist_ok=True)
        return ARTIFACTS / name

    return path


AXE = Path(__file__).resolve().parents[2] / "extension" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def accessible() -> Callable[[Page, str], None]:
    """Fail where axe-core finds a serious violation in what a selector names."""

    def check(page: Page, selector: str) -> None:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found, passed = page.evaluate(
            """async selector => {
              const { violations, passes } = await axe.run(selector, { resultTypes: ['violations'] });
              const seen = violations.map(
                ({id, impact, nodes}) => ({id, impact, nodes: nodes.map(node => node.html.slice(0, 200))}));
              return [seen, passes.length];
            }""",
            selector,
        )
        assert passed, f"axe-core has looked at nothing in {selector}"
        serious = [violation for violation in found if violation["impact"] in {"serious", "critical"}]
        assert serious == [], f"axe-core found something in {selector}"

    return check
