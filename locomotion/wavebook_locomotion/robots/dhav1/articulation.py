"""DHAV1 as an Isaac Lab articulation."""

import isaaclab.sim as sim_utils
from isaaclab.actuators import DCMotorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab_newton.sim.schemas import NewtonArticulationCfg
from isaaclab_physx.sim.schemas import PhysxArticulationCfg, PhysxRigidBodyCfg

from wavebook_locomotion.robots.dhav1 import numbers
from wavebook_locomotion.robots.dhav1.build import ASSETS

PLANE_PATH = str(ASSETS / "plane.usda")
"""An endless flat ground."""


def _by_joint(field: str) -> dict[str, float]:
    return {f".*_{part}_joint": getattr(drive, field) for part, drive in numbers.DRIVES.items()}


DHAV1_CFG = ArticulationCfg(
    spawn=sim_utils.UsdFileCfg(
        usd_path=str(ASSETS / "dhav1.usda"),
        activate_contact_sensors=True,
        rigid_props=PhysxRigidBodyCfg(
            disable_gravity=False,
            retain_accelerations=False,
            linear_damping=0.0,
            angular_damping=0.0,
            max_linear_velocity=1000.0,
            max_angular_velocity=1000.0,
            max_depenetration_velocity=1.0,
        ),
        articulation_props=[
            PhysxArticulationCfg(
                enabled_self_collisions=False, solver_position_iteration_count=4, solver_velocity_iteration_count=0
            ),
            NewtonArticulationCfg(self_collision_enabled=False),
        ],
    ),
    init_state=ArticulationCfg.InitialStateCfg(
        pos=(0.0, 0.0, numbers.BASE_HEIGHT), joint_pos=_by_joint("stand"), joint_vel={".*": 0.0}
    ),
    soft_joint_pos_limit_factor=0.9,
    actuators={
        "legs": DCMotorCfg(
            joint_names_expr=[".*_hip_joint", ".*_thigh_joint", ".*_knee_joint"],
            actuator_effort_limit=_by_joint("torque"),
            saturation_effort=_by_joint("torque"),
            actuator_velocity_limit=_by_joint("speed"),
            stiffness=_by_joint("stiffness"),
            damping=_by_joint("damping"),
            armature=_by_joint("armature"),
            friction=0.0,
        ),
    },
)
"""DHAV1 standing, each joint driven by a direct-current motor under a position controller."""
