"""The tasks and what may be overridden in each, without importing the simulator.

The documents are made from the real configurations by ``python -m wavebook_locomotion.schemas.build`` and stand in the
package, so a planner on a machine without a simulator can check a plan.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def tasks() -> list[dict[str, Any]]:
    """One document for each task: ``task``, ``title``, ``description``, ``parameters`` by dotted name, ``search``."""
    folder = resources.files("wavebook_locomotion.schemas")
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".json")), key=lambda item: item.name)
    return [json.loads(item.read_text(encoding="utf-8")) for item in files]
