"""Opens a task's environment for as long as a ``with`` block lasts."""

from __future__ import annotations

import contextlib
import copy
import io
import sys
from collections.abc import Iterator
from typing import Any

from wavebook_locomotion import mesh_search
from wavebook_locomotion.configuration import TaskConfig


@contextlib.contextmanager
def open_environment(config: TaskConfig, *, mesh_threads: int | None = mesh_search.WARP) -> Iterator[Any]:
    """The environment of ``config``, Isaac Lab's with our guard, reset once and closed at the end.

    A process may open one after the other. The first in a process compiles the simulator's kernels, unless an earlier
    process left them in Warp's cache.

    Args:
        mesh_threads: Threads on CUDA that search the ground below one collision shape; none for Newton's own number.
    """
    import warp
    from isaaclab.app import launch_simulation

    from wavebook_locomotion.guard import GuardedRLEnv

    # Nothing differentiates through the simulator; without their derivatives kernels compile in two thirds of the time.
    warp.config.enable_backward = False
    # The environment writes into its configuration; a second one must find it as the first did.
    environment_config = copy.deepcopy(config.env)
    with _bare_command_line(), launch_simulation(environment_config, {}):
        # Isaac Lab prints tables of terms, which `description` shows better.
        with mesh_search.spread(mesh_threads), contextlib.redirect_stdout(io.StringIO()):
            environment = GuardedRLEnv(environment_config)
            environment.reset()
        try:
            yield environment
        finally:
            environment.close()


@contextlib.contextmanager
def _bare_command_line() -> Iterator[None]:
    # The simulator's launcher parses sys.argv, which in a notebook's kernel holds the kernel's own words.
    arguments = sys.argv
    sys.argv = arguments[:1]
    try:
        yield
    finally:
        sys.argv = arguments
