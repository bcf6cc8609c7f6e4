"""What processes of our own that handle notebooks do without, so that they start soon."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["wavebook_tools.comparison.__main__", "wavebook.agent.night.__main__"])
def test_no_grammar_of_addresses_is_compiled(module: str) -> None:
    code = f"import sys, {module}, nbformat.v4, jsonschema; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
