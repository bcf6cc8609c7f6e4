"""A code override as a person approves it: a unified diff against what was approved under its name before."""

from __future__ import annotations

import json
from difflib import unified_diff

from wavebook_tools.records.code import CodeOverride


def listing(code: CodeOverride) -> str:
    """The source with the weight and the parameters it is used with, as text."""
    params = json.dumps(code.plain_params(), sort_keys=True)
    return f"# {code.kind} term, weight {code.weight:g}, params {params}\n{code.source.rstrip()}\n"


def diff(code: CodeOverride, before: CodeOverride | None = None) -> str:
    """A unified diff from ``before``, or from nothing where the name is new."""
    old = listing(before).splitlines(keepends=True) if before is not None else []
    name = f"{code.kind}/{code.name}.py"
    lines = unified_diff(old, listing(code).splitlines(keepends=True), f"a/{name}" if old else "/dev/null", f"b/{name}")
    return "".join(lines)
