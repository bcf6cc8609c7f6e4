"""A configuration and a machine as plain rows, for the tables of a notebook."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from wavebook_locomotion.configuration import TaskConfig

UNITS = {
    "track_lin_vel_xy_exp": "1",
    "track_ang_vel_z_exp": "1",
    "lin_vel_z_l2": "m²/s²",
    "ang_vel_xy_l2": "rad²/s²",
    "joint_torques_l2": "N²m²",
    "joint_acc_l2": "rad²/s⁴",
    "action_rate_l2": "1",
    "feet_air_time": "s",
    "undesired_contacts": "1",
    "flat_orientation_l2": "1",
    "joint_pos_limits": "rad",
    "base_height_l2": "m²",
    "feet_gait": "1",
    "feet_air_time_variance": "s²",
    "feet_height_body": "m²",
    "feet_slide": "m/s",
    "contact_forces": "N",
    "joint_mirror": "rad²",
    "joint_power": "W",
    "joint_deviation_l1": "rad",
    "stand_still": "rad",
}
"""Unit of what a reward function returns, before weight and step time."""

PACKAGES = ("wavebook", "isaaclab", "torch", "rsl-rl-lib", "newton", "warp-lang", "mujoco-warp")


def rewards(config: TaskConfig) -> list[dict[str, Any]]:
    """The reward terms: ``term``, ``function``, ``weight``, ``parameters``, ``unit``."""
    rows = []
    for name, term in vars(config.env.rewards).items():
        if term is None:
            continue
        function = _function_name(term.func)
        rows.append(
            {
                "term": name,
                "function": function,
                "weight": term.weight,
                "parameters": {key: _plain(value) for key, value in term.params.items()},
                "unit": UNITS.get(function, ""),
            }
        )
    return rows


def terrain(config: TaskConfig) -> list[dict[str, Any]]:
    """The sub-terrains: ``sub_terrain``, ``proportion`` of the whole, ``parameters``; one row for an endless plane."""
    generator = config.env.scene.terrain.terrain_generator
    if generator is None:
        return [{"sub_terrain": "plane", "proportion": 1.0, "parameters": {}}]
    whole = sum(sub_terrain.proportion for sub_terrain in generator.sub_terrains.values())
    shared = ("proportion", "size", "flat_patch_sampling", "horizontal_scale", "vertical_scale", "slope_threshold")
    return [
        {
            "sub_terrain": name,
            "proportion": sub_terrain.proportion / whole,
            "parameters": {
                field: _plain(getattr(sub_terrain, field))
                for field in sub_terrain.__dataclass_fields__
                if field not in (*shared, "function")
            },
        }
        for name, sub_terrain in generator.sub_terrains.items()
    ]


def environment(device: str) -> dict[str, str | None]:
    """The machine and what is installed: versions by package, ``python``, ``device``, ``driver``, ``commit``.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
    """
    described: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            described[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            described[package] = None
    described["device"] = _device_name(device)
    described["driver"] = _driver() if device.startswith("cuda") else None
    described["commit"] = _commit()
    return described


def _function_name(function: Any) -> str:
    return str(getattr(function, "__name__", None) or str(function).rpartition(":")[2])


def _plain(value: Any) -> Any:
    """A parameter as JSON holds it; of a scene entity the names that choose its parts."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "body_names"):
        chosen = value.body_names or value.joint_names
        return f"{value.name}: {chosen}" if chosen else value.name
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device) if torch.cuda.is_available() else f"{device} (not there)"
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "cpu"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0]}, {len(models)} threads" if models else platform.processor() or "cpu"


def _driver() -> str | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        return str(pynvml.nvmlSystemGetDriverVersion())
    except Exception:  # no driver, no library, no rights: the table then says nothing
        return None


def _commit() -> str | None:
    folder = Path(__file__).parent
    try:
        # Tracked, and not merely installed somewhere below another repository.
        _git(folder, "ls-files", "--error-unmatch", Path(__file__).name)
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
        return _git(folder, "rev-parse", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
