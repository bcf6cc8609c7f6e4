"""What the package tells about its tasks without a simulator."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from wavebook_locomotion.catalogue import tasks


@pytest.fixture(scope="module")
def schemas() -> dict[str, dict[str, Any]]:
    return {schema["task"]: schema for schema in tasks()}


def test_reading_it_loads_no_simulator() -> None:
    script = (
        "import sys, json; from wavebook_locomotion.catalogue import tasks; tasks();"
        "print(json.dumps([name for name in ('torch', 'isaaclab', 'warp', 'pxr', 'numpy') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_tasks_are_there(schemas: dict[str, dict[str, Any]]) -> None:
    assert set(schemas) == {
        "Wavebook-Velocity-Flat-DHAV1",
        "Wavebook-Velocity-Flat-HIM-DHAV1",
        "Wavebook-Velocity-Quick-DHAV1",
        "Wavebook-Velocity-Rough-DHAV1",
        "Wavebook-Velocity-Rough-HIM-DHAV1",
    }
    assert all(schema["format"] == 1 and schema["title"] and schema["description"] for schema in schemas.values())


def test_defaults_lie_within_their_limits(schemas: dict[str, dict[str, Any]]) -> None:
    for schema in schemas.values():
        for name, parameter in schema["parameters"].items():
            default = parameter["default"]
            if parameter["type"] == "term" or default is None:
                assert parameter["nullable"], name
                continue
            values = default if parameter["type"] == "list" else [default]
            if "length" in parameter:
                assert len(values) == parameter["length"], name
            if "choices" in parameter:
                assert default in parameter["choices"], name
            for value in values:
                assert parameter.get("minimum", value) <= value <= parameter.get("maximum", value), name


def test_every_number_has_limits(schemas: dict[str, dict[str, Any]]) -> None:
    for schema in schemas.values():
        for name, parameter in schema["parameters"].items():
            if "float" in (parameter["type"], parameter.get("item")):
                assert {"minimum", "maximum"} <= set(parameter), name


def test_the_search_stays_within_the_limits(schemas: dict[str, dict[str, Any]]) -> None:
    for schema in schemas.values():
        assert len(schema["search"]) >= 8
        for space in schema["search"]:
            parameter = schema["parameters"][space["name"]]
            assert parameter["minimum"] <= space["low"] < space["high"] <= parameter["maximum"], space["name"]
            assert space["low"] <= parameter["default"] <= space["high"], space["name"]
            assert not space["log"] or space["low"] > 0, space["name"]
            assert space["why"]


def test_what_matters_is_in_it(schemas: dict[str, dict[str, Any]]) -> None:
    rough = schemas["Wavebook-Velocity-Rough-DHAV1"]["parameters"]
    flat = schemas["Wavebook-Velocity-Flat-DHAV1"]["parameters"]
    assert rough["env.rewards.track_lin_vel_xy_exp.weight"]["type"] == "float"
    assert rough["env.rewards.feet_air_time"] | {"description": ""} == {
        "type": "term",
        "default": "present",
        "nullable": True,
        "description": "",
    }
    boxes = "env.scene.terrain.terrain_generator.sub_terrains.boxes"
    assert {boxes, f"{boxes}.proportion", f"{boxes}.grid_height_range"} <= set(rough)
    assert boxes not in flat
    assert "env.curriculum.terrain_levels" not in flat
    assert {"agent.algorithm.learning_rate", "agent.actor.hidden_dims", "agent.algorithm.schedule"} <= set(flat)
    assert not {"env.scene.num_envs", "agent.max_iterations", "env.seed", "agent.device"} & set(rough)


@pytest.mark.sim
def test_the_committed_schemas_are_current() -> None:
    from wavebook_locomotion.schemas.build import FOLDER, schema_texts

    for name, text in schema_texts().items():
        stored = (FOLDER / name).read_text(encoding="utf-8")
        assert stored == text, f"{name} is old: run python -m wavebook_locomotion.schemas.build"
