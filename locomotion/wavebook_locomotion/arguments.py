"""What the package's commands take on their command lines."""

from __future__ import annotations

import argparse
import json
from typing import Any


def json_object(text: str) -> dict[str, Any]:
    """Overrides as an argument: a JSON object.

    Raises:
        argparse.ArgumentTypeError: It is none; argparse then says of which argument, and ends with exit code 2.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"a JSON object is needed, not {text}")
    return found
