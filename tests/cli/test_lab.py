"""``wavebook lab`` with the real JupyterLab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.jobs.engines.slurm_cluster import free_port

NOTIFICATION = "@jupyterlab/apputils-extension:notification"


def test_jupyterlab_does_not_ask_for_news_over_the_first_directive(tmp_path: Path) -> None:
    # What the person has configured is kept beside it.
    own = tmp_path / "own" / "labconfig"
    own.mkdir(parents=True)
    (own / "default_setting_overrides.json").write_text(json.dumps({NOTIFICATION: {"doNotDisturbMode": True}}))
    environment = {**os.environ, "HOME": str(tmp_path), "JUPYTER_CONFIG_PATH": str(own.parent)}
    port = free_port()
    command = [sys.executable, "-m", "wavebook", "lab", "--no-browser", f"--port={port}", "--project", str(tmp_path)]
    with (tmp_path / "lab.log").open("w") as log:
        lab = subprocess.Popen(
            [*command, "--IdentityProvider.token=t", "--allow-root"], env=environment, stdout=log, stderr=log
        )
    try:
        settings = answer(lab, f"http://127.0.0.1:{port}/lab/api/settings/{NOTIFICATION}?token=t")
    finally:
        lab.terminate()
        lab.wait(60)
    defaults = {name: of["default"] for name, of in settings["schema"]["properties"].items()}
    assert (defaults["fetchNews"], defaults["checkForUpdates"], defaults["doNotDisturbMode"]) == ("false", False, True)


def test_a_binder_is_answered_in_the_same_place(tmp_path: Path) -> None:
    start = Path(__file__).parents[2] / "binder" / "start"
    code = (
        "import json; from jupyter_server.services.config.manager import ConfigManager as Manager; "
        "print(json.dumps(Manager(config_dir_name='labconfig').get('default_setting_overrides')))"
    )
    binaries = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": binaries, "HOME": str(tmp_path), "REPO_DIR": str(start.parents[1])}
    told = subprocess.run([start, sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    assert json.loads(told.stdout)[NOTIFICATION]["fetchNews"] == "false"


def answer(lab: subprocess.Popen[bytes], url: str) -> Any:
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return json.load(response)
        except urllib.error.URLError:
            if lab.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.2)
