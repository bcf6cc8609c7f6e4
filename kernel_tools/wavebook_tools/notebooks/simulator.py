"""Whether what a notebook simulates with is installed: told before a run takes a device, and not by its first cell."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from typing import TYPE_CHECKING

from wavebook_tools.errors import WavebookError

if TYPE_CHECKING:
    from nbformat import NotebookNode

PACKAGES = ("isaaclab", "torch", "rsl_rl", "newton", "warp")
"""What the extra ``sim`` brings, as it is imported."""

INSTALL = "pip install 'wavebook[sim]'"

OWN_KERNEL = "python3"
"""The kernel of the environment that Wavebook is installed in; what another one holds is not known here."""

_IMPORTERS = {"wavebook_locomotion", *PACKAGES}


def missing_packages() -> list[str]:
    """The simulator's packages that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def missing_for(what: str, missing: list[str]) -> str:
    """Says that ``what`` needs the simulator, what of it is missing and how to install it."""
    return f"{what} needs the simulator, of which {', '.join(missing)} is missing; install it with: {INSTALL}"


def simulates(notebook: NotebookNode) -> bool:
    """Whether a notebook imports the simulator, in the environment that Wavebook is installed in."""
    kernel = notebook.metadata.get("kernelspec", {}).get("name", OWN_KERNEL)
    return kernel == OWN_KERNEL and any(
        module.partition(".")[0] in _IMPORTERS
        for cell in notebook.cells
        if cell.cell_type == "code"
        for module in _imported(cell.source)
    )


def require_simulator(notebook: NotebookNode, name: str) -> None:
    """Refuse a template whose runs would fail at their first import.

    Args:
        notebook: The template, or a notebook made from it.
        name: The template's name.

    Raises:
        WavebookError: It simulates, and the simulator is not installed; says how to install it.
    """
    if (missing := missing_packages()) and simulates(notebook):
        raise WavebookError(missing_for(f"a run of the template {name!r}", missing))


def _imported(source: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic, or what the template's own check tells
        return []
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return names + [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
