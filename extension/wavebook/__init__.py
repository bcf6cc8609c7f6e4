"""The Wavebook extension for JupyterLab: the server extension, the agent, and the command line."""

from __future__ import annotations

from typing import Any

from wavebook._version import __version__

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "wavebook"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    # Imported here, so that the command line starts without the server.
    from wavebook.app import WavebookApp

    return [{"module": "wavebook.app", "app": WavebookApp}]
