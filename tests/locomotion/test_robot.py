"""DHAV1's numbers and the assets made from them."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from wavebook_locomotion.robots.dhav1 import numbers
from wavebook_locomotion.robots.dhav1.build import ASSETS
from wavebook_locomotion.robots.dhav1.model import dhav1
from wavebook_locomotion.robots.dhav1.urdf import urdf_text


def test_every_body_can_exist() -> None:
    for name, body in dhav1().bodies.items():
        xx, yy, zz = body.inertia
        assert body.mass > 0, name
        assert min(body.inertia) > 0, name
        # The moments of a rigid body obey the triangle inequality.
        assert xx + yy >= zz, name
        assert yy + zz >= xx, name
        assert zz + xx >= yy, name


def test_it_weighs_what_lite3_weighs() -> None:
    assert sum(body.mass for body in dhav1().bodies.values()) == pytest.approx(11.94, abs=0.01)


def test_left_and_right_are_mirror_images() -> None:
    model = dhav1()
    positions = model.positions()
    for name, body in model.bodies.items():
        if name.startswith(("FL", "RL")):
            other = name.replace("L_", "R_", 1)
            assert model.bodies[other].centre == (body.centre[0], -body.centre[1], body.centre[2])
            assert positions[other] == (positions[name][0], -positions[name][1], positions[name][2])


def test_the_standing_pose_lies_within_the_limits_and_reaches_the_ground() -> None:
    for part, drive in numbers.DRIVES.items():
        assert drive.lower < drive.stand < drive.upper, part
    thigh, knee = numbers.DRIVES["thigh"].stand, numbers.DRIVES["knee"].stand
    reach = numbers.THIGH * math.cos(thigh) + numbers.SHANK * math.cos(thigh + knee) + numbers.FOOT_RADIUS
    assert reach == pytest.approx(0.31, abs=0.01)
    assert reach < numbers.BASE_HEIGHT


def test_the_joint_controllers_are_stable_over_a_physics_step() -> None:
    # An explicit damping d, held for a step dt, turns joint speeds v into (1 - d dt M^-1) v with the mass matrix M:
    # where an eigenvalue of d dt M^-1 passes 2 it diverges. Without the rotors' inertia it is 4.5.
    mujoco = pytest.importorskip("mujoco")
    spec = mujoco.MjSpec.from_string(urdf_text(dhav1()))
    spec.worldbody.first_body().add_freejoint()
    model = spec.compile()
    data = mujoco.MjData(model)
    for leg in numbers.LEGS:
        for part, drive in numbers.DRIVES.items():
            joint = model.joint(f"{leg}_{part}_joint")
            data.qpos[joint.qposadr[0]] = drive.stand
            model.dof_armature[joint.dofadr[0]] = drive.armature
    mujoco.mj_forward(model, data)
    mass = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, mass)
    damping = max(drive.damping for drive in numbers.DRIVES.values())
    stiffest = np.linalg.eigvalsh(np.linalg.inv(mass)[6:, 6:])[-1]
    assert model.body_mass.sum() == pytest.approx(11.94, abs=0.01)
    assert damping * 0.005 * stiffest < 1.0


def test_the_urdf_holds_the_model() -> None:
    model = dhav1()
    robot = ET.fromstring(urdf_text(model))
    assert {link.get("name") for link in robot.findall("link")} == set(model.bodies)
    joints = {joint.get("name"): joint for joint in robot.findall("joint")}
    assert [joint.get("type") for joint in joints.values()].count("revolute") == 12
    knee = joints["RR_knee_joint"]
    limit = knee.find("limit")
    assert limit is not None
    assert float(limit.get("effort", 0)) == 36.0
    assert knee.find("child").get("link") == "RR_shank"  # type: ignore[union-attr]


def test_the_committed_assets_are_current() -> None:
    pytest.importorskip("pxr")
    from wavebook_locomotion.robots.dhav1.build import asset_texts

    for name, text in asset_texts().items():
        stored = (ASSETS / name).read_text(encoding="utf-8")
        assert stored == text, f"{name} is old: run python -m wavebook_locomotion.robots.dhav1.build"
