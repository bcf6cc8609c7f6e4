"""What the Ray engine sends, without a cluster: a real shell executes it, a real server receives it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.jobs.engines.slurm_cluster import free_port
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.engines.base import Placement
from wavebook_tools.jobs.engines.ray import RayEngine, entrypoint
from wavebook_tools.jobs.engines.unreachable import ClusterUnreachableError
from wavebook_tools.records.engine_settings import RaySettings


def run_of(folder: Path, *command: str, gpus: int = 1) -> Placement:
    environment = {"WAVEBOOK_X": "a; $(touch hit)", "HOME": "/elsewhere", "PATH": "/nowhere"}
    return Placement("exp001/s0", folder, command, environment, ["auto"], gpus)


def executed(placement: Placement, devices: str = "3") -> int:
    environment = {"PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": devices}
    return subprocess.run(entrypoint(placement), shell=True, env=environment, cwd="/", check=False).returncode  # noqa: S602


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a 'b' $(touch hit)"
    folder.mkdir()
    return folder


def test_a_shell_changes_nothing_of_a_command(folder: Path) -> None:
    show = 'printf "%s|" "$WAVEBOOK_X" "$HOME" "$CUDA_VISIBLE_DEVICES" "$@"'
    assert executed(run_of(folder, "sh", "-c", show, "sh", "$(touch hit)", "`id`", "it's", "")) == 0
    assert (folder / "log.txt").read_text() == "a; $(touch hit)||3|$(touch hit)|`id`|it's||"
    assert not list(folder.parent.rglob("hit"))


def test_without_a_gpu_a_run_that_needs_one_does_not_start(folder: Path) -> None:
    assert executed(run_of(folder, "touch", "started"), devices="") == 75
    assert "no GPU" in (folder / "log.txt").read_text()
    assert not (folder / "started").exists()
    assert executed(run_of(folder, "sh", "-c", "echo devices=$CUDA_VISIBLE_DEVICES.", gpus=0)) == 0
    assert "devices=." in (folder / "log.txt").read_text()


def test_a_run_that_was_cancelled_while_it_waited_does_nothing(folder: Path) -> None:
    (folder / "cancel.json").write_text("{}")
    assert executed(run_of(folder, "touch", "started")) == 0
    assert not (folder / "started").exists()


class Elsewhere(BaseHTTPRequestHandler):
    """Sends every request on, and notes who comes."""

    came: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.came.append(self.path)
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/stolen")  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_is_not_carried_elsewhere(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    engine = RayEngine(RaySettings(address=f"http://127.0.0.1:{server.server_port}"))
    with pytest.raises(WavebookError, match="302") as raised:
        engine.poll(["any"])
    assert Elsewhere.came == ["/api/jobs/"]
    assert "secret" not in str(raised.value)


def test_a_cluster_that_does_not_answer_ends_nothing_and_takes_nothing(folder: Path) -> None:
    engine = RayEngine(RaySettings(address=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(WavebookError, match="does not answer"):
        engine.poll(["any"])
    with pytest.raises(WavebookError, match="does not answer"):
        engine.cancel("any")
    with pytest.raises(ClusterUnreachableError):
        engine.submit(run_of(folder, "true"))
