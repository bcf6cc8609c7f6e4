"""``wavebook gpus``: devices, who holds them, what runs on them."""

from __future__ import annotations

import click
from rich.markup import escape
from rich.table import Table

from wavebook.cli.output import console, json_option, print_json
from wavebook_tools.jobs.devices import list_devices


@click.command()
@json_option
def gpus(as_json: bool) -> None:
    """Show devices, who holds them, and the processes on them."""
    devices = list_devices()
    if as_json:
        print_json({"devices": [device.as_dict() for device in devices]})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("device", "name", "memory", "load", "held by", "processes", "foreign"):
        table.add_column(column, overflow="fold")
    for device in devices:
        memory = ""
        if device.memory_total is not None and device.memory_used is not None:
            memory = f"{device.memory_used / 2**30:.1f}/{device.memory_total / 2**30:.0f} GiB"
        table.add_row(
            device.label,
            escape(device.name),
            memory,
            "" if device.utilisation is None else f"{device.utilisation} %",
            escape("\n".join(device.holders)) or "free",
            " ".join(map(str, device.processes)),
            " ".join(map(str, device.foreign)),
        )
    console.print(table)
