"""DHAV1 on rough ground: Isaac Lab's velocity task with this robot, its scale and local files."""

import math

from isaaclab.managers import CurriculumTermCfg, EventTermCfg, TerminationTermCfg
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.utils import configclass, replace
from isaaclab_tasks.core.velocity import mdp
from isaaclab_tasks.core.velocity.velocity_env_cfg import (
    CommandsCfg,
    CurriculumCfg,
    EventsCfg,
    LocomotionVelocityRoughEnvCfg,
    ObservationsCfg,
    TerminationsCfg,
)

from wavebook_locomotion.randomization.presets import OWN as OWN_RANDOMIZATION
from wavebook_locomotion.rewards.presets import OWN
from wavebook_locomotion.rewards.terms import Dhav1RewardsCfg
from wavebook_locomotion.robots.dhav1.articulation import DHAV1_CFG
from wavebook_locomotion.tasks.velocity.commands import TurningVelocityCommandCfg
from wavebook_locomotion.tasks.velocity.curriculum import terrain_levels_walked
from wavebook_locomotion.terrains import sets
from wavebook_locomotion.terrains.sub_terrains import dhav1_sub_terrains


@configclass
class Dhav1CommandsCfg(CommandsCfg):
    """Isaac Lab's command, with yaw rates that are commanded as such and turning on the spot."""

    base_velocity = TurningVelocityCommandCfg(
        asset_name="robot",
        resampling_time_range=(10.0, 10.0),
        rel_standing_envs=0.05,
        rel_heading_envs=0.6,
        rel_turning_envs=0.1,
        heading_command=True,
        heading_control_stiffness=0.5,
        debug_vis=False,
        ranges=TurningVelocityCommandCfg.Ranges(
            lin_vel_x=(-1.0, 1.0), lin_vel_y=(-1.0, 1.0), ang_vel_z=(-1.0, 1.0), heading=(-math.pi, math.pi)
        ),
    )


@configclass
class Dhav1CurriculumCfg(CurriculumCfg):
    """Levels by the distance walked, for robots that were asked to get anywhere."""

    terrain_levels = CurriculumTermCfg(func=terrain_levels_walked)


@configclass
class Dhav1EventsCfg(EventsCfg):
    """Isaac Lab's terms, and what only a randomisation preset uses."""

    friction: EventTermCfg | None = None
    link_mass: EventTermCfg | None = None
    actuator_gains: EventTermCfg | None = None
    actuator_delay: EventTermCfg | None = None


@configclass
class Dhav1ObservationsCfg(ObservationsCfg):
    """Isaac Lab's group, and the critic's own where the policy's set hides something."""

    critic: ObsGroup | None = None


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

    commands: Dhav1CommandsCfg = Dhav1CommandsCfg()
    curriculum: Dhav1CurriculumCfg = Dhav1CurriculumCfg()
    events: Dhav1EventsCfg = Dhav1EventsCfg()
    observations: Dhav1ObservationsCfg = Dhav1ObservationsCfg()
    rewards: Dhav1RewardsCfg = Dhav1RewardsCfg()
    terminations: Dhav1TerminationsCfg = Dhav1TerminationsCfg()
    terrain_set: str = "full"
    """Name of the set that gave each sub-terrain its share, see `wavebook_locomotion.terrains.sets`."""
    reward_preset: str = OWN
    """Name of the set that gave each reward its weight, see `wavebook_locomotion.rewards.presets`."""
    randomization: str = OWN_RANDOMIZATION
    """Name of the set of what differs between robots, see `wavebook_locomotion.randomization.presets`."""
    observation_set: str = "full"
    """Name of what the policy sees, see `wavebook_locomotion.observation_sets`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # scene: local files only
        self.scene.robot = replace(DHAV1_CFG, prim_path="{ENV_REGEX_NS}/Robot")
        self.scene.terrain.visual_material = None
        self.scene.sky_light = None
        # physics: kernels run over the capacity for constraint rows and contacts, not over what is in use. At most 73
        # rows of a robot and 13 contacts were ever seen, and 40 rows with fallen robots kept on the ground.
        physics = self.sim.physics.newton_mjwarp
        physics.solver_cfg.njmax = 200
        physics.solver_cfg.nconmax = 48
        self.sim.physics.default = physics
        # terrains: all of them stand here, so that each can be chosen; those without a share are dropped at loading
        self.scene.terrain.terrain_generator.sub_terrains = dhav1_sub_terrains()
        sets.choose(self.scene.terrain.terrain_generator.sub_terrains, self.terrain_set)
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
