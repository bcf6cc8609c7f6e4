"""Writes the tasks' schemas from their real configurations: ``python -m wavebook_locomotion.schemas.build``."""

from __future__ import annotations

import fnmatch
import inspect
import json
from pathlib import Path
from typing import Any

from wavebook_locomotion import configuration
from wavebook_locomotion.parameters import TERM, Parameter, parameters
from wavebook_locomotion.rewards.presets import REWARDED
from wavebook_locomotion.schemas.ranges import RANGES
from wavebook_locomotion.schemas.search import FLAT, ROUGH, SHARED
from wavebook_locomotion.tasks import velocity

FOLDER = Path(__file__).parent

TEXTS = {
    velocity.FLAT: (
        "DHAV1 follows a velocity on flat ground",
        "A quadruped of 12 joints follows planar velocities and yaw rates on an endless plane, with noise and pushes.",
    ),
    velocity.ROUGH: (
        "DHAV1 follows a velocity on rough ground",
        "A quadruped of 12 joints follows planar velocities and yaw rates on stairs, boxes, noise and slopes; a"
        " curriculum leads over ten levels.",
    ),
    velocity.QUICK: (
        "DHAV1 learns to walk forward",
        "The flat task made easy: forward velocities, no disturbances. 256 robots learn it on one processor core in"
        " two minutes.",
    ),
    velocity.HIM_FLAT: (
        "DHAV1 follows a velocity on flat ground, blind, with an internal model",
        "The flat task without a measured velocity: the policy observes six frames and estimates its velocity (HIM).",
    ),
    velocity.HIM_ROUGH: (
        "DHAV1 follows a velocity on rough ground, blind, with an internal model",
        "The rough task without a height scan and a measured velocity: the policy observes six frames and estimates"
        " its velocity and how the ground answers (HIM); the critic sees both.",
    ),
}
"""Title and description of each task."""


def schema_texts() -> dict[str, str]:
    """The schemas' file names and what they hold."""
    return {
        f"{task}.json": json.dumps(schema(task), indent=1, ensure_ascii=False) + "\n"
        for task in configuration.task_names()
    }


def schema(task: str) -> dict[str, Any]:
    """The schema of one task, in the form that `wavebook_locomotion.catalogue.tasks` returns."""
    env, agent = configuration.defaults(task)
    known = parameters(env, agent)
    rough = env.scene.terrain.terrain_generator is not None
    search = [*SHARED, *(ROUGH if rough else FLAT)]
    missing = [space["name"] for space in search if space["name"] not in known]
    if missing:
        raise LookupError(f"the search names parameters that {task} does not have: {', '.join(missing)}")
    # A range that leaves out the task's own value was not meant for that task (the quick one has no entropy bonus).
    search = [space for space in search if space["low"] <= known[space["name"]].value <= space["high"]]
    return {
        "format": 1,
        "task": task,
        "title": TEXTS[task][0],
        "description": TEXTS[task][1],
        "parameters": {name: _described(parameter, env) for name, parameter in known.items()},
        "search": search,
    }


def _described(parameter: Parameter, env: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"type": parameter.type}
    if parameter.type != TERM:
        described["default"] = list(parameter.value) if isinstance(parameter.value, tuple) else parameter.value
    else:
        described["default"] = "present"
    described["nullable"] = parameter.nullable
    if parameter.item is not None:
        described["item"] = parameter.item
    if parameter.length is not None:
        described["length"] = parameter.length
    if parameter.type == TERM:
        described["description"] = _term_description(parameter.name, env)
    elif parameter.name.startswith("env.rewards.") and parameter.name.endswith(".weight"):
        # A penalty whose sign turns, or a reward that punishes, is a slip.
        rewarded = parameter.name.split(".")[2] in REWARDED
        low, high = (0.0, 100.0) if rewarded else (-100.0, 0.0)
        described |= {"minimum": low, "maximum": high, "description": "Factor of the term in the reward, per second"}
    else:
        described |= next((facts for pattern, facts in RANGES if fnmatch.fnmatch(parameter.name, pattern)), {})
    return described


def _term_description(name: str, env: Any) -> str:
    term = env
    for part in name.split(".")[1:]:
        term = term[part] if isinstance(term, dict) else getattr(term, part)
    source = getattr(term, "func", None) or getattr(term, "function", None)
    text = inspect.getdoc(inspect.unwrap(source)) if callable(source) else None
    first = (text or "").strip().partition("\n\n")[0].replace("\n", " ")
    return first or f"The term {name.rpartition('.')[2]}"


def main() -> None:
    """Write every schema and say which."""
    for name, text in schema_texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(json.loads(text)['parameters'])} parameters")


if __name__ == "__main__":
    main()
