"""What looks like a secret, and what only seems to."""

from __future__ import annotations

import json

import pytest

from wavebook_locomotion import catalogue
from wavebook_tools.records.redaction import redact, redact_document


@pytest.mark.parametrize(
    "token",
    [
        "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
        "npm_0123456789abcdefghijABCDEFGHIJ012345",
        "xoxb-1234567890-abcdefghijkl",
        "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw",
        "ghp_0123456789abcdefghijABCDEFGHIJ",
    ],
)
def test_tokens_are_taken_out(token: str) -> None:
    assert redact(f"logged in with {token}.") == "logged in with [redacted token]."


def test_names_of_the_tasks_are_no_secrets() -> None:
    """A sub-terrain called hf_pyramid_slope_inv once was one in every record."""
    names = json.dumps(catalogue.tasks())
    assert redact(names) == names
    terrain = {"per_terrain": {"hf_pyramid_slope_inv": {"level": 10.0}}}
    assert redact_document(terrain) == terrain
