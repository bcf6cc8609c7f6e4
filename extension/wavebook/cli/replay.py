"""``wavebook replay``: an evaluated rollout as a page."""

from __future__ import annotations

from pathlib import Path

import click

from wavebook.cli.output import console, find_project, json_option, print_json, project_option


@click.command()
@click.argument("run")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the page goes; replay.html in the run's folder else.",
)
@project_option
@json_option
def replay(run: str, out: Path | None, project_path: Path | None, as_json: bool) -> None:
    """Write the replay of RUN (as exp001/s0) as one page that opens without a network."""
    from wavebook_tools.replay.document import read_replay  # slow to import; other commands need none
    from wavebook_tools.replay.page import write_page

    project = find_project(project_path)
    record = project.run(run)
    document = read_replay(project, record)
    path = out or record.path / "replay.html"
    write_page(document, path)
    if as_json:
        robots = [motion.model_dump(include={"command", "terrain", "level", "fell"}) for motion in document.robots]
        print_json(
            {"path": str(path), "bytes": path.stat().st_size, "seconds": document.seconds, "robots": robots},
        )
    else:
        console.print(f"Open {path}", soft_wrap=True)
