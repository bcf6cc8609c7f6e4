"""The command line: ``wavebook``. The sidebar does the same through the server."""

from wavebook_tools.notebooks.startup import skip_iri_checks

skip_iri_checks()

from wavebook.cli.main import main

__all__ = ["main"]
