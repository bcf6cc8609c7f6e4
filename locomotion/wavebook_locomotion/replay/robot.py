"""The robot of a replay: its bodies as a tree of joints, with the shapes that stand in for its looks."""

from __future__ import annotations

from typing import Any

from wavebook_locomotion.robots.dhav1.model import RobotModel


def robot_document(model: RobotModel, joints: list[str]) -> dict[str, Any]:
    """Describe a robot for a replay.

    Args:
        model: Bodies and joints, the base first and parents before children.
        joints: The joints in the order in which the recorded motion holds their angles.

    Returns:
        ``name``, ``joints``, and ``bodies``: each with its ``name``, the body it hangs on (``parent``, an index; None
        for the base), where its joint is in the parent's frame (``at`` [m]), the joint's ``axis`` and index (``joint``;
        None where it is rigid), and its ``shapes`` as `wavebook_locomotion.robots.dhav1.numbers.Shape` defines them.
    """
    names = list(model.bodies)
    carried = {joint.child: joint for joint in model.joints}
    bodies: list[dict[str, Any]] = []
    for name, body in model.bodies.items():
        joint = carried.get(name)
        bodies.append(
            {
                "name": name,
                "parent": None if joint is None else names.index(joint.parent),
                "at": [0.0, 0.0, 0.0] if joint is None else list(joint.at),
                "axis": [0.0, 0.0, 0.0] if joint is None else list(joint.axis),
                "joint": None if joint is None or joint.drive is None else joints.index(joint.name),
                "shapes": [
                    {"kind": shape.kind, "size": list(shape.size), "at": list(shape.at), "pitch": shape.pitch}
                    for shape in body.shapes
                ],
            }
        )
    feet = [name for name in names if name.endswith("_foot")]
    return {"name": model.name, "joints": joints, "bodies": bodies, "feet": [names.index(name) for name in feet]}
