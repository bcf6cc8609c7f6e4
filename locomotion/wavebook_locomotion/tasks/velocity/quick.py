"""DHAV1 learns to walk forward on flat ground within two minutes on one processor core.

For demonstrations and tests on machines without a GPU: the flat task made easy. What makes it quick, in the order of
effect: commands forward only; observations scaled by their spread, or joint speeds drown the command; a wide action and
a heavy tracking reward, so that stepping pays at once; a fixed, large learning rate, since the adaptive one shrinks on
small batches; no disturbances; physics steps of 10 ms.
"""

from isaaclab.utils import configclass

from wavebook_locomotion.tasks.velocity.flat import Dhav1FlatEnvCfg
from wavebook_locomotion.tasks.velocity.learner import Dhav1FlatRunnerCfg


@configclass
class Dhav1QuickEnvCfg(Dhav1FlatEnvCfg):
    """Forward velocities on an endless plane, undisturbed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # simulation: the policy acts at 50 Hz as in the other tasks
        self.sim.dt = 0.01
        self.decimation = 2
        self.sim.render_interval = self.decimation
        self.scene.contact_forces.update_period = self.sim.dt
        # commands
        self.commands.base_velocity.rel_standing_envs = 0.1
        self.commands.base_velocity.rel_heading_envs = 1.0
        self.commands.base_velocity.rel_turning_envs = 0.0
        ranges = self.commands.base_velocity.ranges
        ranges.lin_vel_x = (0.0, 1.0)
        ranges.lin_vel_y = (0.0, 0.0)
        ranges.ang_vel_z = (-0.3, 0.3)
        ranges.heading = (-0.5, 0.5)
        # no disturbances
        self.observations.policy.enable_corruption = False
        self.events.push_robot = None
        self.events.add_base_mass = None
        self.events.base_com = None
        self.events.reset_base.params["pose_range"]["yaw"] = (0.0, 0.0)
        axes = ("x", "y", "z", "roll", "pitch", "yaw")
        self.events.reset_base.params["velocity_range"] = {axis: (0.0, 0.0) for axis in axes}
        self.events.reset_robot_joints.params["position_range"] = (0.9, 1.1)
        # actions and rewards
        self.actions.joint_pos.scale = 0.4
        self.rewards.track_lin_vel_xy_exp.weight = 5.0
        self.rewards.feet_air_time.weight = 1.0


@configclass
class Dhav1QuickRunnerCfg(Dhav1FlatRunnerCfg):
    """PPO with a small network, for 256 environments."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_steps_per_env = 16
        self.max_iterations = 120
        self.experiment_name = "dhav1_quick"
        self.actor.hidden_dims = [64, 64]
        self.critic.hidden_dims = [64, 64]
        self.actor.obs_normalization = self.critic.obs_normalization = True
        self.actor.distribution_cfg.init_std = 0.7
        self.algorithm.schedule = "fixed"
        self.algorithm.entropy_coef = 0.0
