"""The tools as plain functions, for other agents in JupyterLab: entry-point group ``jupyter_server_mcp.tools``.

Each function works on the project that the server was started in.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from wavebook.agent.tools.call import call
from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.tool import Tool, Workspace
from wavebook_tools.records.project import Project

ACTOR = "jupyter-mcp"
"""How such an agent stands in plans and in the ledger."""


def specifications() -> list[str]:
    """The functions of this module as ``module:function``."""
    return [f"{__name__}:{name}" for name in TOOLS]


def __getattr__(name: str) -> Callable[..., Awaitable[str]]:
    if name in TOOLS:
        return function_of(TOOLS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _workspace(folder: Path) -> Workspace:
    # One for all calls: what was read once stays read, whoever asked for it.
    return Workspace(Project.find(folder), ACTOR)


def function_of(tool: Tool[Any]) -> Callable[..., Awaitable[str]]:
    """A function with the tool's arguments as its parameters."""

    async def function(**arguments: Any) -> str:
        answer = await call(TOOLS, _workspace(Path.cwd()), tool.name, arguments)
        return f"Error: {answer.text}" if answer.failed else answer.text

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[field.annotation, Field(description=field.description)],
            default=inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True),
        )
        for name, field in tool.arguments.model_fields.items()
    ]
    function.__name__ = function.__qualname__ = tool.name
    function.__doc__ = tool.description
    function.__signature__ = inspect.Signature(parameters, return_annotation=str)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": str}
    return function
