"""DHAV1 on rough ground: Isaac Lab's velocity task with this robot, its scale and local files."""

from isaaclab.managers import RewardTermCfg, SceneEntityCfg, TerminationTermCfg
from isaaclab.utils import configclass, replace
from isaaclab_tasks.core.velocity import mdp
from isaaclab_tasks.core.velocity.velocity_env_cfg import LocomotionVelocityRoughEnvCfg, RewardsCfg, TerminationsCfg

from wavebook_locomotion.robots.dhav1.articulation import DHAV1_CFG

STANDING_HEIGHT = 0.31
"""Height of the base above the ground in the standing pose [m]."""


@configclass
class Dhav1RewardsCfg(RewardsCfg):
    """Isaac Lab's terms and the height of the base."""

    base_height_l2 = RewardTermCfg(
        func=mdp.base_height_l2,
        weight=-10.0,
        params={"target_height": STANDING_HEIGHT, "sensor_cfg": SceneEntityCfg("height_scanner")},
    )


@configclass
class Dhav1TerminationsCfg(TerminationsCfg):
    """Isaac Lab's terms, the edge of the ground, and the guard against a broken simulation."""

    # A robot that walks off the edge falls for the rest of its episode.
    terrain_out_of_bounds = TerminationTermCfg(func=mdp.terrain_out_of_bounds, time_out=True)
    simulation_broken = TerminationTermCfg(
        func="wavebook_locomotion.guard:SimulationBroken",
        params={"max_joint_speed": 150.0, "max_base_speed": 20.0, "max_depth": 1.0},
    )


@configclass
class Dhav1RoughEnvCfg(LocomotionVelocityRoughEnvCfg):
    """Velocity commands on stairs, boxes, noise and slopes, with a curriculum over their difficulty."""

    rewards: Dhav1RewardsCfg = Dhav1RewardsCfg()
    terminations: Dhav1TerminationsCfg = Dhav1TerminationsCfg()

    def __post_init__(self):
        super().__post_init__()
        # scene: local files only
        self.scene.robot = replace(DHAV1_CFG, prim_path="{ENV_REGEX_NS}/Robot")
        self.scene.terrain.visual_material = None
        self.scene.sky_light = None
        self.commands.base_velocity.debug_vis = False
        # terrains: steps that a robot of 0.4 m legs can climb
        terrains = self.scene.terrain.terrain_generator.sub_terrains
        terrains["boxes"].grid_height_range = (0.025, 0.1)
        terrains["random_rough"].noise_range = (0.01, 0.06)
        terrains["random_rough"].noise_step = 0.01
        terrains["pyramid_stairs"].step_height_range = (0.025, 0.12)
        terrains["pyramid_stairs_inv"].step_height_range = (0.025, 0.12)
        # actions
        self.actions.joint_pos.scale = 0.25
        # rewards
        # Lite3's weights; with Isaac Lab's half of them a young policy gains most by falling at once.
        self.rewards.track_lin_vel_xy_exp.weight = 3.0
        self.rewards.track_ang_vel_z_exp.weight = 1.5
        self.rewards.dof_torques_l2.weight = -2.0e-4
        self.rewards.action_rate_l2.weight = -0.005
        self.rewards.feet_air_time.params["sensor_cfg"].body_names = ".*_foot"
        self.rewards.feet_air_time.weight = 0.01
        self.rewards.undesired_contacts.params["sensor_cfg"].body_names = ".*_thigh"
