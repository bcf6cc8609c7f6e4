"""``explain_configuration``: the parameters that overrides may set, with defaults, units and ranges."""

from __future__ import annotations

from pydantic import Field

from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import nearest
from wavebook_tools.tasks import Parameter, TaskSchema, task_named

MOST = 60


class ExplainConfiguration(Arguments):
    task: str | None = Field(default=None, max_length=200, description="The project's own where absent")
    text: str = Field(
        default="", max_length=200, description="Part of a parameter's name or description; empty gives the search list"
    )


def run(workspace: Workspace, arguments: ExplainConfiguration) -> str:
    """The parameters whose name or description holds the text."""
    schema = task_named(arguments.task or workspace.project.settings().training.task, workspace.tasks)
    wanted = arguments.text.lower()
    names = [entry.name for entry in schema.search] if not wanted else [
        name for name, p in schema.parameters.items() if wanted in name.lower() or wanted in p.description.lower()
    ]  # fmt: skip
    if not names:
        names = nearest(arguments.text, schema.parameters)
        if not names:
            return f"{schema.task} has no parameter like {arguments.text!r}; tasks: {', '.join(workspace.tasks)}"
    head = f"{schema.task}: {schema.title}. {schema.description}\nTasks: {', '.join(workspace.tasks)}"
    lines = [_parameter(schema, name, schema.parameters[name]) for name in names[:MOST]]
    if len(names) > MOST:
        lines.append(f"… and {len(names) - MOST} more; give a longer text")
    return "\n".join([head, *lines])


def _parameter(schema: TaskSchema, name: str, parameter: Parameter) -> str:
    parts = [f"{name} ({parameter.type}) = {parameter.default!r}"]
    if parameter.unit:
        parts.append(f"[{parameter.unit}]")
    if parameter.minimum is not None or parameter.maximum is not None:
        parts.append(f"from {parameter.minimum} to {parameter.maximum}")
    if parameter.choices:
        parts.append(f"one of {parameter.choices}")
    if parameter.nullable:
        parts.append("null removes it")
    known = schema.range_of(name)
    if known is not None:
        parts.append(f"worth varying from {known.low} to {known.high}{' by factors' if known.log else ''}: {known.why}")
    if parameter.description:
        parts.append(f"- {parameter.description}")
    return " ".join(parts)


TOOL = Tool(
    "explain_configuration",
    "Look up what overrides may set in a task: names, defaults, units, ranges, and which are worth varying.",
    ExplainConfiguration,
    run,
)
