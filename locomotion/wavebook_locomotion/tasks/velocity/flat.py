"""DHAV1 on flat ground."""

from isaaclab.utils import configclass

from wavebook_locomotion.robots.dhav1.articulation import PLANE_PATH
from wavebook_locomotion.tasks.velocity.rough import Dhav1RoughEnvCfg


@configclass
class Dhav1FlatEnvCfg(Dhav1RoughEnvCfg):
    """Velocity commands on an endless plane, without a height scan."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # scene
        self.scene.terrain.terrain_type = "usd"
        self.scene.terrain.usd_path = PLANE_PATH
        self.scene.terrain.terrain_generator = None
        self.scene.height_scanner = None
        self.observations.policy.height_scan = None
        self.curriculum.terrain_levels = None
        self.terminations.terrain_out_of_bounds = None  # a plane has no edge
        # physics: contacts with a plane are few and well posed; one substep of 5 ms holds them
        physics = self.sim.physics.newton_mjwarp
        physics.num_substeps = 1
        physics.solver_cfg.njmax = 100
        physics.solver_cfg.nconmax = 30
        self.sim.physics.default = physics
        # rewards
        self.rewards.base_height_l2.params["sensor_cfg"] = None
        self.rewards.flat_orientation_l2.weight = -2.5
        self.rewards.feet_air_time.weight = 0.25
