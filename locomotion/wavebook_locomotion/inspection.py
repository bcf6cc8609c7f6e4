"""Looks at a robot whose simulation broke: ``python -m wavebook_locomotion.inspection FILE``.

The file is one that the guard wrote into ``checkpoints/broken/`` of a run. Says where the robot stood and how fast it
was before and after, and puts one robot into the state before, on the same ground, to see whether it breaks again with
the same action. With ``--set`` the same is tried with other settings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from wavebook_locomotion.arguments import json_object
from wavebook_locomotion.configuration import TaskConfig, load
from wavebook_locomotion.errors import ConfigurationError

REASONS = ("not finite", "joint speed", "base speed", "below ground")
"""As `wavebook_locomotion.guard` has them, which imports the simulator."""


def describe(record: Path) -> dict[str, Any]:
    """What a record says: place, reasons, and how fast the robot was before the step and after it.

    Raises:
        ConfigurationError: It is no record of the guard.
    """
    arrays = _read(record)
    found: dict[str, Any] = {
        "reasons": [reason for reason, flag in zip(REASONS, arrays["reasons"], strict=False) if flag],
        "step": int(arrays["step"]),
        "environment": int(arrays["environment"]),
        "largest_action": float(np.abs(arrays["action"]).max()),
    }
    for name in ("terrain", "terrain_level"):
        if name in arrays:
            found[name] = arrays[name].item()
    for moment in ("before", "after"):
        if f"{moment}_joint_vel" in arrays:
            found[moment] = _motion(arrays, moment)
    return found


def again(config: TaskConfig, record: Path, steps: int = 1) -> dict[str, Any]:
    """Put a robot into the recorded state before the break and let it do the recorded action.

    Contacts and the solver's warm start are not in a record: what breaks only with them does not break again.

    Args:
        config: The run's task, for one robot.
        record: The guard's record; it needs the state before.
        steps: Steps of the policy to try, all with the recorded action.

    Returns:
        ``broken``, and `describe` of what the guard wrote down this time where it is.

    Raises:
        ConfigurationError: The record has no state before.
    """
    arrays = _read(record)
    if "before_joint_vel" not in arrays:
        raise ConfigurationError(f"{record} holds no state before the break")

    import torch

    from wavebook_locomotion.simulation import open_environment
    from wavebook_locomotion.state import place

    with tempfile.TemporaryDirectory(prefix="wavebook-broken-") as folder, open_environment(config) as env:
        before = {
            name.removeprefix("before_"): torch.tensor(value, dtype=torch.float32, device=env.device).unsqueeze(0)
            for name, value in arrays.items()
            if name.startswith("before_")
        }
        action = torch.tensor(arrays["action"], device=env.device).unsqueeze(0)
        with torch.inference_mode():
            env.record_folder = Path(folder)
            if "terrain_column" in arrays:
                terrain = env.scene.terrain
                level, column = int(arrays["terrain_level"]), int(arrays["terrain_column"])
                # What lies below the ground is told from where the robot started; what is found names its ground.
                terrain.env_origins[:] = terrain.terrain_origins[level, column]
                terrain.terrain_levels[:], terrain.terrain_types[:] = level, column
            place(
                env,
                {
                    "root_pose": torch.cat((before["root_position"], before["root_orientation"]), dim=1),
                    "root_velocity": torch.cat((before["root_velocity"], before["root_angular_velocity"]), dim=1),
                    "joint_pos": before["joint_pos"],
                    "joint_vel": before["joint_vel"],
                },
            )
            for _ in range(steps):
                env.step(action)
                if env.guard_resets:
                    break
        written = sorted(Path(folder).glob("*.npz"))
        return {"broken": bool(written), **({"found": describe(written[0])} if written else {})}


def _read(record: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(record, allow_pickle=False) as stored:
            arrays = dict(stored)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{record} is no record of a broken robot: {error}") from error
    missing = [name for name in ("reasons", "step", "environment", "action") if name not in arrays]
    if missing:
        raise ConfigurationError(f"{record} is no record of a broken robot: it lacks {', '.join(missing)}")
    return arrays


def _motion(arrays: dict[str, np.ndarray], moment: str) -> dict[str, Any]:
    joints, base = arrays[f"{moment}_joint_vel"], arrays[f"{moment}_root_velocity"]
    return {
        "fastest_joint": _number(np.abs(joints).max()),
        "base_speed": _number(np.linalg.norm(base)),
        "height": _number(arrays[f"{moment}_root_position"][2]),
        "not_finite": [
            name.removeprefix(f"{moment}_")
            for name, value in arrays.items()
            if name.startswith(f"{moment}_") and not np.isfinite(value).all()
        ],
    }


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def main(arguments: list[str] | None = None) -> int:
    """Print one JSON document: 0 when done, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python -m wavebook_locomotion.inspection", description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("--steps", type=int, default=1, help="steps to try again")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", type=json_object, default={}, help="overrides beside the run's, a JSON object")
    parser.add_argument("--only-read", action="store_true", help="do not open the simulator")
    options = parser.parse_args(arguments)
    sys.argv = sys.argv[:1]  # the simulator's launcher reads the command line as well
    try:
        document: dict[str, Any] = {"recorded": describe(options.record)}
        if not options.only_read:
            spec = _spec(options.record)
            overrides = {**spec["overrides"], **options.set}
            config = load(spec["task"], overrides, num_envs=1, seed=spec["seed"], device=options.device)
            document["again"] = again(config, options.record, options.steps)
    except ConfigurationError as error:
        parser.error(str(error))
    print(json.dumps(document, indent=2))
    return 0


def _spec(record: Path) -> dict[str, Any]:
    for folder in record.resolve().parents:
        if (folder / "spec.json").is_file():
            spec: dict[str, Any] = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
            return spec
    raise ConfigurationError(f"{record} lies in no run's folder: there is no spec.json above it")


if __name__ == "__main__":
    sys.exit(main())
