"""Start-up time of processes that handle notebooks."""

from __future__ import annotations

import sys


def skip_iri_checks() -> None:
    """Keep jsonschema from loading its checker of IRIs, which compiles a grammar at import (over a second of CPU).

    No notebook schema has an IRI. Call it before nbformat or papermill is imported, and only in a process of our own:
    in a Jupyter server other extensions may want that check. jsonschema goes without it where the package is not
    installed, and that is what this makes it look like.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
