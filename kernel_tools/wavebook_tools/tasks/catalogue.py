"""Which tasks there are: plug-ins declare them under the entry-point group ``wavebook.tasks``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from pydantic import ValidationError

from wavebook_tools.errors import UsageError, WavebookError, did_you_mean
from wavebook_tools.records.files import first_problem
from wavebook_tools.tasks.schema import TaskSchema

GROUP = "wavebook.tasks"


@cache
def load_tasks() -> dict[str, TaskSchema]:
    """All declared tasks by name. Each entry point names a function that returns a list of plain task dicts.

    Raises:
        WavebookError: A plug-in cannot be imported or declares a task wrongly; the message names it.
    """
    tasks: dict[str, TaskSchema] = {}
    for entry_point in entry_points(group=GROUP):
        try:
            declared = entry_point.load()()
        except Exception as error:
            raise WavebookError(
                f"the task plug-in {entry_point.name!r} ({entry_point.value}) cannot be loaded: "
                f"{type(error).__name__}: {error}"
            ) from error
        for document in declared:
            try:
                schema = TaskSchema.model_validate(document)
            except ValidationError as error:
                name = document.get("task", "a task") if isinstance(document, Mapping) else "a task"
                raise WavebookError(
                    f"the task plug-in {entry_point.name!r} declares {name} wrongly: {first_problem(error)}"
                ) from error
            tasks[schema.task] = schema
    return tasks


def task_named(name: str, tasks: Mapping[str, TaskSchema] | None = None) -> TaskSchema:
    """The schema of a task, from ``tasks`` or from the plug-ins.

    Raises:
        UsageError: No such task; the message gives the nearest names.
    """
    known = load_tasks() if tasks is None else tasks
    try:
        return known[name]
    except KeyError:
        listed = f" Tasks here: {', '.join(sorted(known))}." if known else " No task plug-in is installed."
        raise UsageError(f"there is no task {name!r}.{did_you_mean(name, known)}{listed}") from None
