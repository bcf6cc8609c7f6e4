"""What a recording holds is what the real simulator did."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

pytest.importorskip("isaaclab")

import torch

from wavebook_locomotion import configuration
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.evaluation.evaluate import fixed_configuration
from wavebook_locomotion.evaluation.protocol import PROTOCOL
from wavebook_locomotion.replay import ReplayRecorder
from wavebook_locomotion.robots.dhav1.numbers import FOOT_RADIUS
from wavebook_locomotion.simulation import open_environment
from wavebook_tools.replay import Replay

pytestmark = pytest.mark.sim

STEPS = 30
COMMANDS = ["standing", "straight", "standing"]


@pytest.fixture(scope="module")
def recorded() -> tuple[Replay, np.ndarray, np.ndarray]:
    """A replay of three robots on stairs, and where their feet were [robot, foot, 3]."""
    name = "env.scene.terrain.terrain_generator.sub_terrains.pyramid_stairs.proportion"
    overrides = {name: 1.0, "env.terrain_set": "flat"}
    config = configuration.load("Wavebook-Velocity-Rough-DHAV1", overrides, num_envs=3, seed=0)
    config = fixed_configuration(config, 3, PROTOCOL)
    recorder = ReplayRecorder(seconds=10.0, title="exp001/s0")
    with open_environment(config) as env, torch.inference_mode():
        command = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
        robot = env.scene["robot"]
        recorder.start(env, command, COMMANDS, [("pyramid_stairs", 3)] * 3)
        start = robot.data.root_link_pos_w.torch.cpu().numpy().copy()
        for step in range(STEPS):
            env.step(torch.zeros(3, 12))
            recorder.step(command)
            if step == 0:
                bodies = list(robot.body_names)
                names = [name for name in bodies if name.endswith("_foot")]
                feet = robot.data.body_link_pos_w.torch[:, [bodies.index(n) for n in names]].cpu().numpy().copy()
        recorder.stop()
    return Replay.model_validate(recorder.document()), feet - start[:, None], np.array(names)


def test_a_robot_stands_for_each_command(recorded: tuple[Replay, np.ndarray, np.ndarray]) -> None:
    replay, _, _ = recorded
    assert [motion.command for motion in replay.robots] == ["standing", "straight"]
    assert [(motion.terrain, motion.level) for motion in replay.robots] == [("pyramid_stairs", 3)] * 2
    assert [motion.frames for motion in replay.robots] == [STEPS + 1] * 2
    assert replay.step == pytest.approx(0.02)
    command, velocity = replay.velocities(replay.robots[1])
    assert command[0].tolist() == [0.5, 0.0, 0.0]
    assert np.abs(velocity).max() < 2.0
    assert len(replay.model_dump_json()) < 200_000


def test_the_replays_feet_are_where_the_simulators_were(recorded: tuple[Replay, np.ndarray, np.ndarray]) -> None:
    replay, feet, names = recorded
    for robot, motion in enumerate(replay.robots):
        for foot in replay.robot.feet:
            expected = feet[robot, list(names).index(replay.robot.bodies[foot].name)]
            assert place(replay, motion, 1, foot) == pytest.approx(expected, abs=2.0e-3)


def test_feet_in_contact_stand_on_the_recorded_ground(recorded: tuple[Replay, np.ndarray, np.ndarray]) -> None:
    replay, _, _ = recorded
    standing = 0
    for motion in replay.robots:
        ground = motion.ground
        assert ground is not None
        heights = np.frombuffer(base64.b64decode(ground.heights), dtype="<i2").reshape(ground.rows, ground.columns)
        contact = base64.b64decode(motion.contact)[STEPS]
        for bit, foot in enumerate(replay.robot.feet):
            if contact >> bit & 1:
                x, y, z = place(replay, motion, STEPS, foot)
                column, row = (
                    round((at - corner) / ground.spacing) for at, corner in zip((x, y), ground.corner, strict=True)
                )
                near = 1.0e-3 * heights[row - 1 : row + 2, column - 1 : column + 2]
                assert near.min() - 0.01 < z - FOOT_RADIUS < near.max() + 0.01
                standing += 1
    assert standing >= 4


def test_nothing_recorded_is_no_replay() -> None:
    with pytest.raises(ConfigurationError, match="no robot was recorded"):
        ReplayRecorder().document()
    with pytest.raises(ConfigurationError, match="needs a time and a robot"):
        ReplayRecorder(robots=0)


def place(replay: Replay, motion: Any, frame: int, body: int) -> np.ndarray:
    """Where a body is by the replay's own numbers, from the tree of joints [m]."""
    width = replay.width
    numbers = np.frombuffer(base64.b64decode(motion.motion), dtype="<i2")[frame * width : (frame + 1) * width]
    position, chain = np.zeros(3), []
    index: int | None = body
    while index is not None:
        chain.append(replay.robot.bodies[index])
        index = chain[-1].parent
    for link in chain[:-1]:
        angle = 0.0 if link.joint is None else 1.0e-4 * numbers[7 + link.joint]
        position = np.array(link.at) + turn(
            np.array([*(np.array(link.axis) * np.sin(angle / 2)), np.cos(angle / 2)]), position
        )
    return 1.0e-3 * numbers[:3] + turn(numbers[3:7] / 32767, position)


def turn(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A vector turned by a quaternion (x, y, z, w)."""
    axis, w = quaternion[:3], quaternion[3]
    twice = 2.0 * np.cross(axis, vector)
    return np.asarray(vector + w * twice + np.cross(axis, twice))
