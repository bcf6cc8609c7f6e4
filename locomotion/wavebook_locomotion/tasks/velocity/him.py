"""DHAV1 with the hybrid internal model: blind, with a history, and a critic that sees everything.

What the policy observes is a robot's own: no velocity, no height scan. Scales and order are HIMLoco's.
"""

from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg
from isaaclab.utils import configclass
from isaaclab.utils.noise import UniformNoiseCfg
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlPpoAlgorithmCfg
from isaaclab_tasks.core.velocity import mdp

from wavebook_locomotion.tasks.velocity.flat import Dhav1FlatEnvCfg
from wavebook_locomotion.tasks.velocity.learner import NETWORK, PPO, Dhav1FlatRunnerCfg, Dhav1RoughRunnerCfg
from wavebook_locomotion.tasks.velocity.rough import Dhav1RoughEnvCfg

HISTORY = 6
"""Frames that the policy observes, the newest included."""

_SPEED = 0.25
_JOINT_SPEED = 0.05


@configclass
class HimObservationsCfg:
    """The policy's history, the same frame and more for the critic, and what the internal model learns from."""

    @configclass
    class PolicyCfg(ObservationGroupCfg):
        """Six frames of 45, the oldest first."""

        velocity_commands = ObservationTermCfg(
            func=mdp.generated_commands, params={"command_name": "base_velocity"}, scale=(2.0, 2.0, _SPEED)
        )
        base_ang_vel = ObservationTermCfg(
            func=mdp.base_ang_vel, noise=UniformNoiseCfg(n_min=-0.2, n_max=0.2), scale=_SPEED
        )
        projected_gravity = ObservationTermCfg(
            func=mdp.projected_gravity, noise=UniformNoiseCfg(n_min=-0.05, n_max=0.05)
        )
        joint_pos = ObservationTermCfg(func=mdp.joint_pos_rel, noise=UniformNoiseCfg(n_min=-0.01, n_max=0.01))
        joint_vel = ObservationTermCfg(
            func=mdp.joint_vel_rel, noise=UniformNoiseCfg(n_min=-1.5, n_max=1.5), scale=_JOINT_SPEED
        )
        actions = ObservationTermCfg(func=mdp.last_action)

        def __post_init__(self) -> None:
            self.enable_corruption = True
            self.history_length = HISTORY
            self.history_order = "time"

    @configclass
    class SuccessorCfg(ObservationGroupCfg):
        """The true velocity [m/s] in the place of the command, then the policy's frame without noise."""

        base_lin_vel = ObservationTermCfg(func=mdp.base_lin_vel)
        base_ang_vel = ObservationTermCfg(func=mdp.base_ang_vel, scale=_SPEED)
        projected_gravity = ObservationTermCfg(func=mdp.projected_gravity)
        joint_pos = ObservationTermCfg(func=mdp.joint_pos_rel)
        joint_vel = ObservationTermCfg(func=mdp.joint_vel_rel, scale=_JOINT_SPEED)
        actions = ObservationTermCfg(func=mdp.last_action)

    @configclass
    class CriticCfg(SuccessorCfg):
        """What no policy on a robot could see: the truth, and the ground around."""

        velocity_commands = ObservationTermCfg(
            func=mdp.generated_commands, params={"command_name": "base_velocity"}, scale=(2.0, 2.0, _SPEED)
        )
        height_scan = ObservationTermCfg(
            func=mdp.height_scan, params={"sensor_cfg": SceneEntityCfg("height_scanner")}, clip=(-1.0, 1.0)
        )

    policy: PolicyCfg = PolicyCfg()
    successor: SuccessorCfg = SuccessorCfg()
    critic: CriticCfg = CriticCfg()


@configclass
class Dhav1HimRoughEnvCfg(Dhav1RoughEnvCfg):
    """The rough task with the observations of HIM."""

    observations: HimObservationsCfg = HimObservationsCfg()  # type: ignore[assignment] # in place of the task's
    compute_final_obs: bool = True  # the internal model learns from the last observation of an episode


@configclass
class Dhav1HimFlatEnvCfg(Dhav1FlatEnvCfg):
    """The flat task with the observations of HIM."""

    observations: HimObservationsCfg = HimObservationsCfg()  # type: ignore[assignment] # in place of the task's
    compute_final_obs: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.observations.critic.height_scan = None


@configclass
class HimModelCfg(RslRlMLPModelCfg):
    """Configuration of `wavebook_locomotion.him.model.HimModel`."""

    class_name: str = "wavebook_locomotion.him.model:HimModel"
    history_length: int = HISTORY
    latent_dim: int = 16
    prototypes: int = 32
    encoder_hidden_dims: list[int] = [128, 64]  # noqa: RUF012
    successor_hidden_dims: list[int] = [128, 64]  # noqa: RUF012
    temperature: float = 3.0


@configclass
class HimPpoAlgorithmCfg(RslRlPpoAlgorithmCfg):
    """Configuration of `wavebook_locomotion.him.algorithm.HimPPO`."""

    class_name: str = "wavebook_locomotion.him.algorithm:HimPPO"
    estimator_learning_rate: float = 1.0e-3
    estimator_max_grad_norm: float = 10.0


_OBSERVED = {"actor": ["policy"], "critic": ["critic"], "successor": ["successor"]}
_ACTOR = HimModelCfg(**NETWORK, distribution_cfg=HimModelCfg.GaussianDistributionCfg(init_std=1.0))


@configclass
class Dhav1HimRoughRunnerCfg(Dhav1RoughRunnerCfg):
    """PPO on rough ground with the internal model."""

    experiment_name = "dhav1_him_rough"
    obs_groups = _OBSERVED
    actor = _ACTOR
    algorithm = HimPpoAlgorithmCfg(**PPO)


@configclass
class Dhav1HimFlatRunnerCfg(Dhav1FlatRunnerCfg):
    """PPO on flat ground with the internal model."""

    obs_groups = _OBSERVED
    actor = _ACTOR
    algorithm = HimPpoAlgorithmCfg(**PPO)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.experiment_name = "dhav1_him_flat"
