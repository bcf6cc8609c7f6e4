"""Trust: a notebook that Wavebook executed unchanged opens trusted; nobody else's does."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary


def sign(path: Path) -> None:
    """Sign the notebook at ``path`` with the user's notary. Call it after the last write."""
    NotebookNotary().sign(nbformat.read(path, as_version=4))
