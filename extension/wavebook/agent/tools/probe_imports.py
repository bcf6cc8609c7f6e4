"""``probe_imports``: which library of a run does not load."""

from __future__ import annotations

import os
import subprocess
import sys

from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.environment import of_run

SECONDS = 300.0


class ProbeImports(Arguments):
    pass


def run(workspace: Workspace, arguments: ProbeImports) -> str:
    """What the minimal script printed: a line for each library up to the first that fails."""
    command = [sys.executable, "-m", "wavebook_tools.diagnosis.imports"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, env=of_run(os.environ, [])
        )
    except subprocess.TimeoutExpired as error:
        raise WavebookError(f"the imports took longer than {SECONDS / 60:g} minutes") from error
    return done.stdout.strip()[-4000:] or f"the script ended with status {done.returncode} and said nothing"


TOOL = Tool(
    "probe_imports",
    "Import the libraries of a run one by one on the CPU, in the order in which a run needs them, and name the first "
    "that fails: for runs that crash at their start. Changes nothing; takes up to a minute or two.",
    ProbeImports,
    run,
    seconds=SECONDS + 10,
)
