"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.queues import end_queues

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# Servers that tests start would ask Claude where the developer has a key; only the tests made for that may.
if "ANTHROPIC_API_KEY" in os.environ:
    os.environ["WAVEBOOK_TEST_API_KEY"] = os.environ.pop("ANTHROPIC_API_KEY")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The simulator's tests come first: they take longest, and where tests are shared out no process ends alone."""
    items.sort(key=lambda item: "locomotion" not in item.path.parts)


@pytest.fixture(autouse=True)
def no_queue_goes_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """A queue ends with the test that began it."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is not None and any(folder.glob("*/.wavebook/dispatcher.log")):
        end_queues(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what a browser has to load of the extension."""
    static = Path(__file__).resolve().parents[1] / "extension" / "wavebook" / "labextension" / "static"
    sizes = sorted((path.stat().st_size for path in static.glob("*.js")), reverse=True)
    terminalreporter.write_line(
        f"front end: {sum(sizes) / 1e3:.0f} kB of JavaScript in {len(sizes)} files, "
        f"the largest {max(sizes, default=0) / 1e3:.0f} kB"
    )
