"""The numbers of DHAV1, from which its URDF, its USD and its Isaac Lab configuration are made.

No description of DHAV1 is public. These are **stand-in values**: the closest documented robot of its size,
DeepRobotics' Lite3 (``Lite3_urdf`` in https://github.com/DeepRoboticsLab/URDF_model), with four changes:

- joint axes and signs as Unitree's robots have them: x forward, y left, z up; a positive thigh angle swings the leg
  backward, the knee is negative. Lite3 turns the other way round, so its limits stand here with the other sign.
- left and right are mirror images: Lite3's centres of mass differ by a few millimetres from leg to leg.
- the foot is a solid sphere of its mass; Lite3's file gives it no inertia at all.
- rotor inertia reflected to the joint («armature»), which Lite3's file leaves out: a rotor of 1.1e-4 kg m^2 (the
  value that mjlab uses for the like motors of Unitree's Go1) behind a reduction of 6, and of 9 at the knee.

Lengths [m], masses [kg], inertias [kg m^2] about the centre of mass, angles [rad], torques [N m], speeds [rad/s].
Frames: every body's frame sits in the joint that carries it, axes parallel to the base when all angles are zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Shape:
    """A collision shape, which is drawn as well."""

    kind: Literal["box", "capsule", "sphere"]
    size: Vector
    """Box: edges; capsule along z: radius, length of its cylinder, 0; sphere: radius, 0, 0."""
    at: Vector = (0.0, 0.0, 0.0)
    pitch: float = 0.0
    """Rotation about y."""


@dataclass(frozen=True)
class Body:
    """A rigid body: mass properties and shapes, of a left leg where it has a side."""

    mass: float
    centre: Vector
    inertia: Vector
    """Diagonal of the inertia tensor about the centre of mass, in the body's axes."""
    shapes: tuple[Shape, ...] = ()


@dataclass(frozen=True)
class Drive:
    """A joint's motor behind its gear, at the joint."""

    lower: float
    upper: float
    torque: float
    speed: float
    armature: float
    stiffness: float = 30.0
    damping: float = 1.0
    stand: float = 0.0
    """Angle of the standing pose."""


LEGS = ("FL", "FR", "RL", "RR")
"""Front left, front right, rear left, rear right."""

HIP_X, HIP_Y = 0.1745, 0.062
ABDUCTION = 0.09735
THIGH = 0.20
SHANK = 0.21012
FOOT_RADIUS = 0.022
BASE_HEIGHT = 0.35
"""Height at which a robot is put down; it stands at 0.31 m."""

ROTOR_INERTIA = 1.1e-4
HIP_GEAR, KNEE_GEAR = 6.0, 9.0

BASE = Body(
    mass=5.6056,
    centre=(0.0, 0.0, 0.0),
    inertia=(0.02456, 0.05518, 0.07016),
    shapes=(Shape("box", (0.50, 0.10, 0.12), (0.0, 0.0, 0.01)), Shape("box", (0.25, 0.20, 0.12), (0.0, 0.0, 0.01))),
)
HIP = Body(mass=0.55, centre=(-0.006, -0.009, 0.0), inertia=(0.0003949, 0.0004028, 0.0004472))
THIGH_BODY = Body(
    mass=0.86,
    centre=(-0.005, -0.015, -0.042),
    inertia=(0.005736, 0.004960, 0.001436),
    shapes=(Shape("capsule", (0.022, 0.14, 0.0), (-0.015, 0.0, -0.09)),),
)
SHANK_BODY = Body(
    mass=0.153,
    centre=(0.0065, 0.0, -0.1216),
    inertia=(0.00089039, 0.00090672, 3.1266e-05),
    shapes=(Shape("capsule", (0.013, 0.13, 0.0), (0.006, 0.0, -0.10)),),
)
FOOT_MASS = 0.02
FOOT = Body(
    mass=FOOT_MASS,
    centre=(0.0, 0.0, 0.0),
    inertia=(0.4 * FOOT_MASS * FOOT_RADIUS**2,) * 3,
    shapes=(Shape("sphere", (FOOT_RADIUS, 0.0, 0.0)),),
)

DRIVES = {
    "hip": Drive(-0.523, 0.523, 24.0, 26.2, ROTOR_INERTIA * HIP_GEAR**2, stand=0.0),
    "thigh": Drive(-0.314, 2.67, 24.0, 26.2, ROTOR_INERTIA * HIP_GEAR**2, stand=0.8),
    "knee": Drive(-2.792, -0.524, 36.0, 17.3, ROTOR_INERTIA * KNEE_GEAR**2, stand=-1.6),
}
"""By the middle part of a joint's name: ``FL_hip_joint``, ``FL_thigh_joint``, ``FL_knee_joint``, …"""
