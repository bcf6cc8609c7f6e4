"""DHAV1 and the flat ground as USD, for Isaac Lab."""

from __future__ import annotations

import math

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade

from wavebook_locomotion.robots.dhav1.model import Joint, RobotModel
from wavebook_locomotion.robots.dhav1.numbers import Body, Shape


def robot_text(model: RobotModel) -> str:
    """The model as a USD layer in text form: bodies as siblings below the root, joints in a scope of their own."""
    stage = _stage(model.name)
    root = stage.GetDefaultPrim()
    UsdPhysics.ArticulationRootAPI.Apply(root)
    positions = model.positions()
    for name, body in model.bodies.items():
        _add_body(stage, root.GetPath().AppendChild(name), body, Gf.Vec3d(*positions[name]))
    joints = UsdGeom.Scope.Define(stage, root.GetPath().AppendChild("joints")).GetPath()
    for joint in model.joints:
        _add_joint(stage, joints.AppendChild(joint.name), joint)
    return stage.GetRootLayer().ExportToString()


def plane_text() -> str:
    """An endless horizontal ground as a USD layer in text form.

    Isaac Lab's own ground plane is a file on a server; this one is local.
    """
    stage = _stage("ground")
    path = stage.GetDefaultPrim().GetPath().AppendChild("plane")
    plane = UsdGeom.Plane.Define(stage, path)
    plane.CreateAxisAttr(UsdGeom.Tokens.z)
    plane.CreateWidthAttr(200.0)
    plane.CreateLengthAttr(200.0)
    plane.CreateDisplayColorAttr([Gf.Vec3f(0.5, 0.55, 0.6)])
    UsdPhysics.CollisionAPI.Apply(plane.GetPrim())
    material = UsdShade.Material.Define(stage, stage.GetDefaultPrim().GetPath().AppendChild("material"))
    friction = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
    friction.CreateStaticFrictionAttr(1.0)
    friction.CreateDynamicFrictionAttr(1.0)
    friction.CreateRestitutionAttr(0.0)
    UsdShade.MaterialBindingAPI.Apply(plane.GetPrim()).Bind(material, UsdShade.Tokens.weakerThanDescendants, "physics")
    return stage.GetRootLayer().ExportToString()


def _stage(name: str) -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    stage.GetRootLayer().documentation = "Made from numbers.py: python -m wavebook_locomotion.robots.dhav1.build"
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, Sdf.Path.absoluteRootPath.AppendChild(name)).GetPrim())
    return stage


def _add_body(stage: Usd.Stage, path: Sdf.Path, body: Body, position: Gf.Vec3d) -> None:
    xform = UsdGeom.Xform.Define(stage, path)
    xform.AddTranslateOp().Set(position)
    prim = xform.GetPrim()
    UsdPhysics.RigidBodyAPI.Apply(prim)
    mass = UsdPhysics.MassAPI.Apply(prim)
    mass.CreateMassAttr(body.mass)
    mass.CreateCenterOfMassAttr(Gf.Vec3f(*body.centre))
    mass.CreateDiagonalInertiaAttr(Gf.Vec3f(*body.inertia))
    mass.CreatePrincipalAxesAttr(Gf.Quatf.GetIdentity())
    for index, shape in enumerate(body.shapes):
        _add_shape(stage, path.AppendChild(f"collision_{index}"), shape)


def _add_shape(stage: Usd.Stage, path: Sdf.Path, shape: Shape) -> None:
    if shape.kind == "box":
        geometry = UsdGeom.Cube.Define(stage, path)
        geometry.CreateSizeAttr(1.0)
    elif shape.kind == "sphere":
        geometry = UsdGeom.Sphere.Define(stage, path)
        geometry.CreateRadiusAttr(shape.size[0])
    else:
        geometry = UsdGeom.Capsule.Define(stage, path)
        geometry.CreateAxisAttr(UsdGeom.Tokens.z)
        geometry.CreateRadiusAttr(shape.size[0])
        geometry.CreateHeightAttr(shape.size[1])
    geometry.AddTranslateOp().Set(Gf.Vec3d(*shape.at))
    if shape.pitch:
        geometry.AddRotateYOp().Set(math.degrees(shape.pitch))
    if shape.kind == "box":
        geometry.AddScaleOp().Set(Gf.Vec3f(*shape.size))
    UsdPhysics.CollisionAPI.Apply(geometry.GetPrim())


def _add_joint(stage: Usd.Stage, path: Sdf.Path, joint: Joint) -> None:
    robot = path.GetParentPath().GetParentPath()
    if joint.drive is None:
        usd_joint = UsdPhysics.FixedJoint.Define(stage, path)
    else:
        usd_joint = UsdPhysics.RevoluteJoint.Define(stage, path)
        usd_joint.CreateAxisAttr("X" if joint.axis[0] else "Y")
        usd_joint.CreateLowerLimitAttr(math.degrees(joint.drive.lower))
        usd_joint.CreateUpperLimitAttr(math.degrees(joint.drive.upper))
        drive = UsdPhysics.DriveAPI.Apply(usd_joint.GetPrim(), "angular")
        drive.CreateTypeAttr("force")
        drive.CreateMaxForceAttr(joint.drive.torque)
        # USD counts an angular drive's gains per degree.
        drive.CreateStiffnessAttr(math.radians(joint.drive.stiffness))
        drive.CreateDampingAttr(math.radians(joint.drive.damping))
        # Newton and PhysX each have a name of their own for what USD has none for.
        prim = usd_joint.GetPrim()
        for name, value in (
            ("newton:armature", joint.drive.armature),
            ("newton:velocityLimit", math.degrees(joint.drive.speed)),
            ("physxJoint:armature", joint.drive.armature),
            ("physxJoint:maxJointVelocity", math.degrees(joint.drive.speed)),
        ):
            prim.CreateAttribute(name, Sdf.ValueTypeNames.Float, custom=False).Set(value)
    usd_joint.CreateBody0Rel().SetTargets([robot.AppendChild(joint.parent)])
    usd_joint.CreateBody1Rel().SetTargets([robot.AppendChild(joint.child)])
    usd_joint.CreateLocalPos0Attr(Gf.Vec3f(*joint.at))
    usd_joint.CreateLocalRot0Attr(Gf.Quatf.GetIdentity())
    usd_joint.CreateLocalPos1Attr(Gf.Vec3f(0.0))
    usd_joint.CreateLocalRot1Attr(Gf.Quatf.GetIdentity())
