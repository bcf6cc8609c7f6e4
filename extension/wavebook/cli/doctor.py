"""``wavebook doctor`` and ``wavebook gpus``: what this machine offers, and how to mend what is missing."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.table import Table

from wavebook.cli.output import console, json_option, print_json
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.devices import list_devices
from wavebook_tools.notebooks.simulator import INSTALL, PACKAGES, missing_packages
from wavebook_tools.records.database import NETWORK_FILE_SYSTEMS, file_system_of
from wavebook_tools.tasks import load_tasks


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    mend: str = ""


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look at what is installed, which physics and devices work, and say how to mend what doesn't."""
    checks = list(run_checks())
    if as_json:
        print_json({"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]})
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for _ in range(4):
            table.add_column(overflow="fold")
        for check in checks:
            mend = "" if check.ok else check.mend
            table.add_row("[green]ok[/]" if check.ok else "[red]no[/]", check.name, check.found, mend)
        console.print(table)
    sys.exit(0 if all(check.ok for check in checks) else 1)


def run_checks() -> list[Check]:
    """All checks, in the order in which they build on each other."""
    return [_python(), _front_end(), _tasks(), _templates(), _simulator(), _physics(), _devices(), _disk()]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info[:2] == (3, 12), version, "Isaac Lab 3 needs Python 3.12")


def _front_end() -> Check:
    for prefix in (Path(sys.prefix), Path(sys.base_prefix)):
        manifest = prefix / "share/jupyter/labextensions/wavebook/package.json"
        if manifest.exists():
            return Check("JupyterLab extension", True, f"wavebook, JupyterLab {_version('jupyterlab')}")
    return Check("JupyterLab extension", False, "not installed", "pip install wavebook (or make install in a clone)")


def _tasks() -> Check:
    try:
        names = sorted(load_tasks())
    except WavebookError as error:
        return Check("tasks", False, str(error), "pip install --force-reinstall wavebook")
    return Check("tasks", bool(names), ", ".join(names) or "none", "" if names else "reinstall wavebook")


def _templates() -> Check:
    from wavebook_tools.notebooks.templates import PACKAGE_FOLDER, REPOSITORY_FOLDER  # slow to import

    folder = PACKAGE_FOLDER if PACKAGE_FOLDER.is_dir() else REPOSITORY_FOLDER
    names = sorted(path.stem for path in folder.glob("*.ipynb"))
    return Check("templates", "train" in names, ", ".join(names) or "none", "" if names else "reinstall wavebook")


def _simulator() -> Check:
    missing = missing_packages()
    if missing:
        return Check("simulator", False, f"missing: {', '.join(missing)}", INSTALL)
    return Check("simulator", True, ", ".join(f"{name} {_version(name)}" for name in PACKAGES))


def _physics() -> Check:
    if missing_packages():
        return Check("physics", False, "unknown without the simulator", INSTALL)
    backends = ["newton_mjwarp (kit-less, CPU and CUDA)"]
    if _version("isaacsim") != "unknown":
        backends.append("physx (Isaac Sim)")
    return Check("physics", True, ", ".join(backends))


def _devices() -> Check:
    try:
        devices = list_devices()
    except WavebookError as error:
        return Check("devices", False, str(error), "reinstall or load the NVIDIA driver")
    return Check("devices", True, ", ".join(device.name for device in devices))


def _disk() -> Check:
    kind = file_system_of(Path.cwd())
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    fits = kind not in NETWORK_FILE_SYSTEMS and free > 2
    mend = "" if fits else "keep .wavebook/ on a local disk with some GB free"
    return Check("disk here", fits, f"{kind}, {free:.0f} GB free", mend)


def _version(package: str) -> str:
    names = {"warp": "warp-lang", "rsl_rl": "rsl-rl-lib"}
    try:
        return importlib.metadata.version(names.get(package, package))
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
