"""What replay.json holds: a robot, and the motion of some of its kind, quantised; see docs/replay.md."""

from __future__ import annotations

import base64
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from wavebook_tools.errors import NotFoundError
from wavebook_tools.metrics.history import Floats
from wavebook_tools.records.files import FORMAT, read_model
from wavebook_tools.records.project import Project, RunRecord

FILE = "replay.json"
"""The replay's name in a run's folder."""

LENGTH = 1.0e-3
"""Step of positions and heights [m], of speeds [m/s] and of yaw rates [rad/s]."""

Vector = Annotated[list[FiniteFloat], Field(min_length=3, max_length=3)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Shape(_Part):
    """What a body looks like, in the body's frame."""

    kind: Literal["box", "capsule", "sphere"]
    size: Vector = Field(description="Box: edges; capsule along z: radius, length of its cylinder; sphere: radius [m]")
    at: Vector
    pitch: FiniteFloat = Field(description="Rotation about y [rad]")


class Body(_Part):
    """A rigid body, hung on another by a joint."""

    name: str
    parent: int | None = Field(description="Index of the body that carries it; none for the base")
    at: Vector = Field(description="Where its joint is in the parent's frame [m]")
    axis: Vector
    joint: int | None = Field(description="Index of the joint's angle; none where it is rigid")
    shapes: list[Shape]


class Robot(_Part):
    """A tree of bodies, parents before children."""

    name: str
    joints: list[str]
    bodies: list[Body] = Field(min_length=1)
    feet: list[int] = Field(description="Indices of the bodies that are feet")


class Ground(_Part):
    """Heights below a robot's way, on a grid."""

    corner: list[FiniteFloat] = Field(min_length=2, max_length=2, description="x and y of the first height [m]")
    spacing: FiniteFloat = Field(gt=0)
    rows: int = Field(ge=2)
    columns: int = Field(ge=2)
    heights: str = Field(description="Row by row [mm], base64 of little-endian 16-bit integers")


class Motion(_Part):
    """A robot that follows one command; positions count from where its base began."""

    command: str
    terrain: str
    level: int | None
    frames: int = Field(ge=1)
    fell: bool
    motion: str = Field(description="Position, quaternion (x, y, z, w), angles, command and velocity of each frame")
    contact: str = Field(description="For each frame a byte with a bit for each foot")
    ground: Ground | None
    floor: FiniteFloat | None = Field(description="Height of flat ground [m]")


class Replay(_Part):
    """The whole document."""

    format: Literal[1] = FORMAT
    title: str
    step: FiniteFloat = Field(gt=0, description="Time from frame to frame [s]")
    robot: Robot
    robots: list[Motion] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for motion in self.robots:
            _numbers(motion.motion, motion.frames * self.width, f"the motion of {motion.command!r}")
            if motion.ground is not None:
                _numbers(motion.ground.heights, motion.ground.rows * motion.ground.columns, "a ground's heights")
        return self

    @property
    def width(self) -> int:
        """Numbers in a frame: position 3, quaternion 4, joints, command 3, velocity 3."""
        return 13 + len(self.robot.joints)

    @property
    def seconds(self) -> float:
        """Length of its longest motion [s]."""
        return self.step * (max(motion.frames for motion in self.robots) - 1)

    def velocities(self, motion: Motion) -> tuple[Floats, Floats]:
        """Command and velocity of one of its robots in its base's frame: forward and left [m/s], turn [rad/s].

        Returns:
            Two arrays of shape ``[frames, 3]``.
        """
        frames = _numbers(motion.motion, motion.frames * self.width, "motion").reshape(motion.frames, self.width)
        return LENGTH * frames[:, -6:-3].astype(float), LENGTH * frames[:, -3:].astype(float)


def read_replay(project: Project, record: RunRecord) -> Replay:
    """The replay of a run.

    Raises:
        NotFoundError: The run holds none; the message names runs that do.
        WavebookError: The file is damaged.
    """
    path = record.path / FILE
    if not path.is_file():
        others = [str(run.id) for run in project.runs() if (run.path / FILE).is_file()]
        known = f"there is one of {', '.join(others[:5])}" if others else "no run of this project has one"
        raise NotFoundError(f"{record.id} holds no replay ({path} is missing); {known}")
    return read_model(path, Replay)


def _numbers(text: str, count: int, name: str) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's, or of letters that ASCII has not
        raise ValueError(f"{name} is not base64") from error
    if len(data) != 2 * count:
        raise ValueError(f"{name} holds {len(data)} bytes, not {2 * count}")
    return np.frombuffer(data, dtype="<i2")
