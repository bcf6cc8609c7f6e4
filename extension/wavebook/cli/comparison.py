"""``wavebook compare`` and ``wavebook report``: what waves taught."""

from __future__ import annotations

from pathlib import Path

import click

from wavebook.cli.output import console, find_project, json_option, print_json, project_option


@click.command()
@click.argument("waves", type=int, nargs=-1, required=True, metavar="WAVE...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the page goes; the wave's folder else.",
)
@project_option
@json_option
def compare(waves: tuple[int, ...], output: Path | None, project_path: Path | None, as_json: bool) -> None:
    """Write the comparison of WAVES as one page that opens without a network."""
    from wavebook_tools.comparison import verdicts, write_comparison  # slow to import; other commands need none

    project = find_project(project_path)
    records = [project.wave(wave) for wave in waves]
    path = output or (
        records[0].comparison_path
        if len(records) == 1
        else project.root / f"comparison-{'-'.join(str(wave) for wave in waves)}.html"
    )
    write_comparison(project, list(waves), path)
    found = {wave: verdicts(project, wave) for wave in waves}
    if as_json:
        print_json(
            {
                "path": str(path),
                "verdicts": {
                    str(wave): {name: verdict.model_dump(mode="json") for name, verdict in by_experiment.items()}
                    for wave, by_experiment in found.items()
                },
            }
        )
        return
    for wave, by_experiment in found.items():
        for name, verdict in by_experiment.items():
            console.print(f"wave {wave}  {name}  {verdict.verdict}: {verdict.text}", soft_wrap=True, markup=False)
    console.print(f"Open {path}")


@click.command()
@click.argument("wave", type=int, required=False)
@project_option
@json_option
def report(wave: int | None, project_path: Path | None, as_json: bool) -> None:
    """Write the report of WAVE, or of the whole campaign, as a notebook."""
    from wavebook.agent.campaign import write_campaign  # slow to import; other commands need none
    from wavebook_tools.comparison import write_report

    project = find_project(project_path)
    path = write_campaign(project) if wave is None else write_report(project, wave)
    if as_json:
        print_json({"path": str(path)})
    else:
        console.print(f"Open {path}")
