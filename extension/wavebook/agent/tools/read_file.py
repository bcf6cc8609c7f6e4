"""``read_file``: a file of the project, a notebook as its cells and printed outputs."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from wavebook.agent.tools.paths import lines_of, project_path, read_text
from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import WavebookError


class ReadFile(Arguments):
    path: str = Field(max_length=500, description="Relative to the project")
    first_line: int = Field(default=1, ge=1)
    lines: int = Field(default=200, ge=1, le=1000)


def run(workspace: Workspace, arguments: ReadFile) -> str:
    """Some lines of the file, numbered."""
    path = project_path(workspace.project.root, arguments.path)
    text = read_text(path, arguments.path)
    if path.suffix == ".ipynb":
        text = notebook_text(text, arguments.path)
    return lines_of(text, arguments.first_line, arguments.lines)


def notebook_text(text: str, name: str) -> str:
    """Sources and text outputs of a notebook; pictures and widgets are named only.

    Raises:
        WavebookError: It is damaged.
    """
    try:
        cells: list[dict[str, Any]] = json.loads(text)["cells"]
        parts = []
        for number, cell in enumerate(cells):
            parts.append(f"--- cell {number} ({cell['cell_type']})\n{_joined(cell.get('source', ''))}")
            parts += [f"--- output of cell {number}\n{_output(output)}" for output in cell.get("outputs", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WavebookError(f"the notebook {name} is damaged: {error}") from error
    return "\n".join(parts)


def _output(output: dict[str, Any]) -> str:
    if output.get("output_type") == "error":
        return f"{output.get('ename')}: {output.get('evalue')}"
    if "text" in output:
        return _joined(output["text"])
    data = output.get("data", {})
    return _joined(data["text/plain"]) if "text/plain" in data else f"({', '.join(data)})"


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


TOOL = Tool(
    "read_file",
    "Read lines of a text file or notebook of the project.",
    ReadFile,
    run,
    source=lambda arguments: f"the file {arguments.path}",
)
