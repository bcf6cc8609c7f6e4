"""``wavebook mcp``: the agent's tools for other agents."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from wavebook.cli.output import find_project, project_option


@click.command()
@project_option
def mcp(project_path: Path | None) -> None:
    """Offer the agent's tools as an MCP server on standard input and output."""
    from wavebook.agent.mcp_server import serve  # slow to import; no other command needs it

    asyncio.run(serve(find_project(project_path)))
