"""Lets ``wavebook`` run from a checkout on a machine where it cannot be installed: no registry, no Node."""

from __future__ import annotations

import importlib.metadata
import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(folder: Path) -> dict[str, str]:
    """Environment variables for a ``wavebook`` process; this process's own where it is installed.

    Args:
        folder: Where the entry points are written that an installation would have declared.
    """
    variables = dict(os.environ)
    try:
        importlib.metadata.distribution("wavebook")
    except importlib.metadata.PackageNotFoundError:
        described = folder / "wavebook-0.dist-info"
        described.mkdir(parents=True, exist_ok=True)
        (described / "METADATA").write_text("Metadata-Version: 2.1\nName: wavebook\nVersion: 0\n", encoding="utf-8")
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        lines = []
        for group, points in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items()), ""]
        (described / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        paths = [str(folder), *(str(ROOT / name) for name in ("extension", "kernel_tools", "locomotion"))]
        variables["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [variables.get("PYTHONPATH")])])
    return variables
