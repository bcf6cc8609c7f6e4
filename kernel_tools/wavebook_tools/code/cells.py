"""Code overrides as cells of a run's notebook, each on its own, before the configuration that uses it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import nbformat
from nbformat import NotebookNode

from wavebook_tools.code.check import check_code
from wavebook_tools.errors import UsageError
from wavebook_tools.records.code import CodeOverride

TAG = "wavebook-code"
PLACE = "injected-parameters"
"""The cells go behind papermill's cell of that tag."""

DECLARED = "code"
"""What a template's parameters must declare to take code overrides: the list of terms."""


def insert_code(notebook: NotebookNode, template: str, code: Iterable[CodeOverride]) -> None:
    """Put a cell for each code override behind the run's parameters.

    Raises:
        UsageError: A source holds what it may not, or the template takes no code.
    """
    terms = list(code)
    if not terms:
        return
    for term in terms:
        check_code(term)
    places = [i for i, cell in enumerate(notebook.cells) if PLACE in cell.metadata.get("tags", [])]
    declared = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if not places or not any(f"{DECLARED} = []" in cell.source for cell in declared):
        raise UsageError(
            f"the template {template!r} takes no code overrides: its cell tagged 'parameters' has no «{DECLARED} = []»"
        )
    notebook.cells[places[0] + 1 : places[0] + 1] = [_cell(term) for term in terms]


def _cell(code: CodeOverride) -> NotebookNode:
    params = {name: value for name, value in code.plain_params().items()}
    call = f"{code.name}, weight={code.weight!r}, params={_literal(params)}"
    source = (
        f"# Code override: the {code.kind} term {code.name}, approved as a diff with the wave's plan.\n"
        f"{code.source.rstrip()}\n\n\n"
        f"from wavebook_locomotion.rewards.code import CodeTerm\n\n"
        f"{DECLARED}.append(CodeTerm({call}))"
    )
    cell: NotebookNode = nbformat.v4.new_code_cell(source, metadata={"tags": [TAG]})  # type: ignore[no-untyped-call]
    return cell


def _literal(value: object) -> str:
    # JSON's values as Python writes them.
    return repr(json.loads(json.dumps(value)))
