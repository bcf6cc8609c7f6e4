"""``bisect_terrains``: which sub-terrains break a configuration, found by trials on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

from pydantic import Field

from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.environment import without_secrets
from wavebook_tools.records.plan import Overrides
from wavebook_tools.tasks import check_overrides, task_named

MODULE = "wavebook_locomotion.terrains.trial"
LONGEST = 1800.0
"""Time after which the search is given up [s]."""


class BisectTerrains(Arguments):
    task: str = Field(default="Wavebook-Velocity-Rough-DHAV1", max_length=200)
    overrides: Overrides = Field(default_factory=dict)
    num_envs: int = Field(default=64, ge=1, le=8192)
    steps: int = Field(default=100, ge=1, le=2000)
    device: str = Field(default="cpu", pattern=r"^(cpu|cuda:\d{1,2})$")


def run(workspace: Workspace, arguments: BisectTerrains) -> str:
    """What the search printed at its end."""
    check_overrides(task_named(arguments.task, workspace.tasks), arguments.overrides)
    if find_spec("wavebook_locomotion") is None:
        raise UsageError("the package with the terrains is not installed here")
    command = [
        *(sys.executable, "-m", MODULE, "--task", arguments.task, "--overrides", json.dumps(arguments.overrides)),
        *("--num-envs", str(arguments.num_envs), "--steps", str(arguments.steps), "--device", arguments.device),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST, check=False, env=without_secrets(os.environ)
        )
    except subprocess.TimeoutExpired as error:
        raise WavebookError(f"the search took longer than {LONGEST / 60:g} minutes and was ended") from error
    if done.returncode not in (0, 3):
        raise WavebookError(f"the search failed: {done.stderr.strip()[-1500:]}")
    return done.stdout.strip()[-4000:]


TOOL = Tool(
    "bisect_terrains",
    "Find the smallest sets of sub-terrains on which a configuration breaks, hangs or crashes, by trials with random "
    "actions on this machine. Takes minutes; waits for a person's approval.",
    BisectTerrains,
    run,
    access=Access.CONTROL,
    source=lambda arguments: f"the terrain trials of {arguments.task}",
)
