"""``read_source``: the source of the package that declares a task: rewards, terrains, training, evaluation."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from pydantic import Field

from wavebook.agent.tools.paths import lines_of, project_path, read_text
from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.tasks.catalogue import GROUP


class ReadSource(Arguments):
    path: str = Field(
        default="", max_length=300, description="A file of the package, as rewards/gait.py; empty lists them"
    )
    package: str | None = Field(default=None, max_length=100, description="Where several packages declare tasks")
    first_line: int = Field(default=1, ge=1)
    lines: int = Field(default=250, ge=1, le=1000)


def packages() -> dict[str, Path]:
    """Folders of the packages that declare tasks, by name. Nothing of them is imported."""
    names = {entry_point.value.partition(":")[0].partition(".")[0] for entry_point in entry_points(group=GROUP)}
    found = {}
    for name in sorted(names):
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            found[name] = Path(next(iter(spec.submodule_search_locations)))
    return found


def run(workspace: Workspace, arguments: ReadSource) -> str:
    """A file's lines, or the list of files."""
    known = packages()
    name = arguments.package or next(iter(known), "")
    if name not in known:
        raise UsageError(
            f"no package {name!r} declares tasks.{did_you_mean(name, known)} There are: {', '.join(known)}"
        )
    root = known[name].resolve()
    if not arguments.path:
        files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
        return f"{name}:\n" + "\n".join(files)
    path = project_path(root, arguments.path)
    if path.suffix not in {".py", ".json", ".toml", ".md"}:
        raise UsageError(f"{arguments.path!r} is no source file")
    return lines_of(read_text(path, arguments.path), arguments.first_line, arguments.lines)


TOOL = Tool(
    "read_source",
    "Read the source of the task's package (reward terms, terrains, commands, learner, evaluation), or list its files.",
    ReadSource,
    run,
    source=lambda arguments: f"the source {arguments.path or 'listing'}",
)
