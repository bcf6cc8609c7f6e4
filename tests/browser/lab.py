"""JupyterLab as a person starts it, with authentication on, only that its own files lie in a temporary folder."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from wavebook_tools.records.project import Project

QUIET_SETTINGS = {
    # News and update checks need a network, and their notes cover the lower right corner.
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "checkForUpdates": False,
        "fetchNews": "false",
        "doNotDisturbMode": False,
    },
}
OTHERS = ("@jupyter-widgets/jupyterlab-manager", "jupyterlab-plotly", "open3d")
"""Extensions of packages that the simulator brings: what they say in the console is not ours."""

NO_BUILD = {"page_config_data": {"buildCheck": False, "buildAvailable": False}}
"""Other packages may bring source extensions; JupyterLab would offer to rebuild itself in a dialog over everything."""

START_SECONDS = 180


class Lab:
    """A running JupyterLab on a project."""

    def __init__(self, project: Project, home: Path) -> None:
        self.project = project
        self.home = home
        self.token = secrets.token_hex(16)
        self.opened_notebook = False
        """Whether a page has opened a notebook here."""
        self.log = home / "lab.log"
        self._runtime = home / "runtime"
        settings = home / "settings"
        for name, values in QUIET_SETTINGS.items():
            path = settings / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        page = home / "config" / "labconfig" / "page_config.json"
        page.parent.mkdir(parents=True)
        page.write_text(json.dumps({"disabledExtensions": {name: True for name in OTHERS}}))
        environment = {
            **os.environ,
            "HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "WAVEBOOK_LEASES": str(home / "leases"),
            "JUPYTER_TOKEN": self.token,
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "jupyterlab",
                    "--no-browser",
                    "--allow-root",
                    "--ip=127.0.0.1",
                    "--port=0",
                    f"--ServerApp.root_dir={project.root}",
                    "--ServerApp.allow_unauthenticated_access=False",
                    f"--ServerApp.tornado_settings={NO_BUILD}",
                    "--LabApp.expose_app_in_browser=True",
                ],
                cwd=project.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.address = self._wait()

    def url(self, workspace: str) -> str:
        """The address of a workspace, with the token that lets a browser in."""
        return f"{self.address}lab/workspaces/{workspace}?token={self.token}"

    def stop(self) -> None:
        """End the server as Ctrl-C does; runs go on."""
        if self._process.poll() is None:
            self._await_formats()
        self._end()

    def ask(self, path: str, body: object = None) -> Any:
        """What the server answers to a GET, or to a POST of ``body``, as JSON data."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + path, data=data, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _await_formats(self) -> None:
        """Let JupyterLab learn the formats to export to, which it asks for as the first notebook is opened.

        The server imports them for seconds in a thread of AnyIO's, and where it is ended meanwhile, that thread keeps
        the process for ever.
        """
        with contextlib.suppress(OSError):  # a server that does not answer is ended all the same
            if self.opened_notebook:
                self.ask("api/nbconvert")

    def _wait(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        info = self._runtime / f"jpserver-{self._process.pid}.json"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                return str(json.loads(info.read_text())["url"])
            except (FileNotFoundError, ValueError):
                time.sleep(0.1)
        self._end()
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text(errors='replace')[-4000:]}")
