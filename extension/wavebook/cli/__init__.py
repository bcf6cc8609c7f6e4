"""The command line: ``wavebook``. The sidebar does the same through the server."""

from wavebook.cli.main import main

__all__ = ["main"]
