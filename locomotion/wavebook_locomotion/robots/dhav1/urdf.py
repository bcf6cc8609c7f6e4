"""DHAV1 as URDF, for tools outside Isaac Lab."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from wavebook_locomotion.robots.dhav1.model import RobotModel
from wavebook_locomotion.robots.dhav1.numbers import Shape, Vector


def urdf_text(model: RobotModel) -> str:
    """The model as a URDF document.

    A URDF has no capsule: it is written as a cylinder of the capsule's whole length. Rotor inertia has no place in a
    URDF either and stands in the USD only.
    """
    robot = ET.Element("robot", name=model.name)
    robot.append(ET.Comment(" Made from numbers.py: python -m wavebook_locomotion.robots.dhav1.build "))
    for name, body in model.bodies.items():
        link = ET.SubElement(robot, "link", name=name)
        inertial = ET.SubElement(link, "inertial")
        ET.SubElement(inertial, "origin", xyz=_text(body.centre), rpy="0 0 0")
        ET.SubElement(inertial, "mass", value=_number(body.mass))
        xx, yy, zz = (_number(value) for value in body.inertia)
        ET.SubElement(inertial, "inertia", ixx=xx, ixy="0", ixz="0", iyy=yy, iyz="0", izz=zz)
        for kind in ("visual", "collision"):
            for shape in body.shapes:
                element = ET.SubElement(link, kind)
                ET.SubElement(element, "origin", xyz=_text(shape.at), rpy=_text((0.0, shape.pitch, 0.0)))
                _geometry(ET.SubElement(element, "geometry"), shape)
    for joint in model.joints:
        element = ET.SubElement(robot, "joint", name=joint.name, type="revolute" if joint.drive else "fixed")
        ET.SubElement(element, "origin", xyz=_text(joint.at), rpy="0 0 0")
        ET.SubElement(element, "parent", link=joint.parent)
        ET.SubElement(element, "child", link=joint.child)
        if drive := joint.drive:
            ET.SubElement(element, "axis", xyz=_text(joint.axis))
            ET.SubElement(
                element,
                "limit",
                lower=_number(drive.lower),
                upper=_number(drive.upper),
                effort=_number(drive.torque),
                velocity=_number(drive.speed),
            )
    ET.indent(robot)
    return '<?xml version="1.0"?>\n' + ET.tostring(robot, encoding="unicode") + "\n"


def _geometry(parent: ET.Element, shape: Shape) -> None:
    if shape.kind == "box":
        ET.SubElement(parent, "box", size=_text(shape.size))
    elif shape.kind == "sphere":
        ET.SubElement(parent, "sphere", radius=_number(shape.size[0]))
    else:
        radius, length, _ = shape.size
        ET.SubElement(parent, "cylinder", radius=_number(radius), length=_number(length + 2 * radius))


def _text(vector: Vector) -> str:
    return " ".join(_number(value) for value in vector)


def _number(value: float) -> str:
    return f"{value:.8g}"
