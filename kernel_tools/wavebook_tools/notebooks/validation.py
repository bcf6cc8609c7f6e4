"""What a template must have before a run may be made from it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from nbformat import NotebookNode
from papermill.inspection import _infer_parameters

from wavebook_tools.errors import UsageError, did_you_mean

PARAMETERS_TAG = "parameters"
PROVENANCE_TAG = "wavebook-provenance"

PARAMETERS = ("run", "task", "seed", "num_envs", "iterations", "device", "overrides", "evaluation", "checkpoint")
"""What a run's input gives to its notebook; a template must take in all of it."""


def check_template(notebook: NotebookNode, name: str, parameters: Collection[str] = PARAMETERS) -> None:
    """Refuse a template that no run can be made from.

    Raises:
        UsageError: All that is wrong with it, a line each.
    """
    if problems := problems_of(notebook, parameters):
        raise UsageError("\n".join(f"the template {name!r} {problem}" for problem in problems))


def problems_of(notebook: NotebookNode, parameters: Collection[str] = PARAMETERS) -> list[str]:
    """What makes a template useless, each as the end of a sentence that begins with the template's name.

    Args:
        notebook: The template.
        parameters: The names that its cell tagged ``parameters`` must declare; none where it takes in nothing.
    """
    return [*_parameter_problems(notebook, parameters), *_syntax_problems(notebook)]


def advice_on(notebook: NotebookNode) -> list[str]:
    """What a template for runs may lack and is still run, in the same form."""
    found = []
    if not any(PROVENANCE_TAG in tags for tags in _tags(notebook)):
        found.append(f"has no cell tagged {PROVENANCE_TAG!r}: its runs will not say what they ask and where from")
    sources = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    if "RunSession" not in sources:
        found.append("opens no RunSession: its runs will show no progress and have no result")
    elif ".finish(" not in sources:
        found.append("never calls the session's finish(): its runs will have no result, and fail")
    return found


def _parameter_problems(notebook: NotebookNode, parameters: Collection[str]) -> Iterator[str]:
    if not parameters:
        return
    if not any(PARAMETERS_TAG in tags for tags in _tags(notebook)):
        yield f"has no cell tagged {PARAMETERS_TAG!r}; Wavebook puts a run's input there"
        return
    declared = {parameter.name for parameter in _infer_parameters(notebook)}
    missing = [parameter for parameter in parameters if parameter not in declared]
    if missing:
        others = sorted(declared - set(parameters))
        meant = "".join(did_you_mean(name, others) for name in missing)
        yield (
            f"misses the parameter{'s' if len(missing) > 1 else ''} {', '.join(missing)} in its cell tagged "
            f"{PARAMETERS_TAG!r}; it declares {', '.join(sorted(declared)) or 'none'}.{meant}"
        )


def _syntax_problems(notebook: NotebookNode) -> Iterator[str]:
    if notebook.metadata.get("kernelspec", {}).get("language", "python") != "python":
        return
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        if _syntax_error(cell.source) and (error := _syntax_error(_without_magics(cell.source))):
            line = (error.text or "").strip()
            yield f"cannot be read at cell {number}, line {error.lineno}: {error.msg}{f' in {line!r}' if line else ''}"


def _syntax_error(source: str) -> SyntaxError | None:
    try:
        compile(source, "<cell>", "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return error
    return None


def _without_magics(source: str) -> str:
    # Imported here: every run checks its template again, and hardly any has a magic.
    from IPython.core.inputtransformer2 import TransformerManager

    return str(TransformerManager().transform_cell(source))


def _tags(notebook: NotebookNode) -> Iterator[list[str]]:
    return (cell.metadata.get("tags", []) for cell in notebook.cells)
