"""Whether the simulator is installed, and how to get it; the command line itself never imports it."""

from __future__ import annotations

import importlib.util

from wavebook_tools.errors import WavebookError

PACKAGES = ("isaaclab", "torch", "rsl_rl", "newton", "warp")


def missing_packages() -> list[str]:
    """The simulator's packages that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def require_simulator(what: str) -> None:
    """Refuse ``what`` where the simulator is not installed.

    Raises:
        WavebookError: Says what is missing and how to install it.
    """
    if missing := missing_packages():
        raise WavebookError(
            f"{what} needs the simulator, of which {', '.join(missing)} is missing; "
            "install it with: pip install 'wavebook[sim]'"
        )
