"""Projects as waves leave them."""

import sys
from pathlib import Path

import pytest

# tests/projects.py draws project folders for several test folders; with importlib's import mode it needs the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


@pytest.fixture(autouse=True)
def jp_asyncio_loop():
    """Nothing: pytest-jupyter's own loop and Playwright's cannot live in one thread, and no server is needed here."""


@pytest.fixture(autouse=True)
def jp_server_cleanup():
    """Nothing: see above."""
