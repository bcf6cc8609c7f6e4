"""The tree of bodies and joints that the numbers describe, for the writers of URDF and USD."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wavebook_locomotion.robots.dhav1 import numbers
from wavebook_locomotion.robots.dhav1.numbers import Body, Drive, Vector

AXES: dict[str, Vector] = {"hip": (1.0, 0.0, 0.0), "thigh": (0.0, 1.0, 0.0), "knee": (0.0, 1.0, 0.0)}


@dataclass(frozen=True)
class Joint:
    """A joint between a body and its child; without a drive it is rigid."""

    name: str
    parent: str
    child: str
    at: Vector
    """Position of the joint in the parent's frame [m]."""
    axis: Vector = (0.0, 0.0, 0.0)
    drive: Drive | None = None


@dataclass(frozen=True)
class RobotModel:
    """Bodies by name, the base first, and the joints, parents before children."""

    name: str
    bodies: dict[str, Body]
    joints: tuple[Joint, ...]

    def positions(self) -> dict[str, Vector]:
        """Where each body's frame is, seen from the base, when all angles are zero [m]."""
        found: dict[str, Vector] = {next(iter(self.bodies)): (0.0, 0.0, 0.0)}
        for joint in self.joints:
            parent = found[joint.parent]
            found[joint.child] = (parent[0] + joint.at[0], parent[1] + joint.at[1], parent[2] + joint.at[2])
        return found


def dhav1() -> RobotModel:
    """DHAV1 from its numbers."""
    bodies: dict[str, Body] = {"base": numbers.BASE}
    joints: list[Joint] = []
    for leg in numbers.LEGS:
        front = 1.0 if leg[0] == "F" else -1.0
        left = 1.0 if leg[1] == "L" else -1.0
        for part, body in (
            ("hip", numbers.HIP),
            ("thigh", numbers.THIGH_BODY),
            ("shank", numbers.SHANK_BODY),
            ("foot", numbers.FOOT),
        ):
            # The hip's motor lies toward the middle at all four corners; the others are mirrored in y only.
            bodies[f"{leg}_{part}"] = _mirrored(body, front if part == "hip" else 1.0, left)
        joints += [
            _driven(leg, "hip", "base", f"{leg}_hip", (front * numbers.HIP_X, left * numbers.HIP_Y, 0.0)),
            _driven(leg, "thigh", f"{leg}_hip", f"{leg}_thigh", (0.0, left * numbers.ABDUCTION, 0.0)),
            _driven(leg, "knee", f"{leg}_thigh", f"{leg}_shank", (0.0, 0.0, -numbers.THIGH)),
            Joint(f"{leg}_foot_joint", f"{leg}_shank", f"{leg}_foot", (0.0, 0.0, -numbers.SHANK)),
        ]
    return RobotModel("dhav1", bodies, tuple(joints))


def _driven(leg: str, part: str, parent: str, child: str, at: Vector) -> Joint:
    return Joint(f"{leg}_{part}_joint", parent, child, at, AXES[part], numbers.DRIVES[part])


def _mirrored(body: Body, x: float, y: float) -> Body:
    return replace(body, centre=(x * body.centre[0], y * body.centre[1], body.centre[2]))
