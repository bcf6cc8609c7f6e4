"""A note at the head of an executed notebook: how the run ended, when it did not end well."""

from __future__ import annotations

from pathlib import Path

import nbformat

from wavebook_tools.notebooks.signing import sign
from wavebook_tools.records.files import write_atomic

NOTE_TAG = "wavebook-ending"


def annotate(path: Path, markdown: str) -> None:
    """Put ``markdown`` at the head of the notebook at ``path``, in place of an earlier note, and sign it again."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if NOTE_TAG not in cell.metadata.get("tags", [])]
    note = nbformat.v4.new_markdown_cell(markdown, metadata={"tags": [NOTE_TAG]})
    notebook.cells.insert(0, note)
    write_atomic(path, nbformat.writes(notebook) + "\n")
    sign(path)
