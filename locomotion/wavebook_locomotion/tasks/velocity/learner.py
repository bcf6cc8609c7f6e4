"""PPO for the velocity tasks."""

from typing import Any

from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg, RslRlSymmetryCfg

from wavebook_locomotion.symmetry import presets as symmetry

NETWORK: dict[str, Any] = {"hidden_dims": [512, 256, 128], "activation": "elu", "obs_normalization": False}
"""What actor and critic have in common."""

PPO: dict[str, Any] = {
    "value_loss_coef": 1.0,
    "use_clipped_value_loss": True,
    "clip_param": 0.2,
    "entropy_coef": 0.01,
    "num_learning_epochs": 5,
    "num_mini_batches": 4,
    "learning_rate": 1.0e-3,
    "schedule": "adaptive",
    "gamma": 0.99,
    "lam": 0.95,
    "desired_kl": 0.01,
    "max_grad_norm": 1.0,
}
"""The settings that the references share."""

ROUGH_PPO: dict[str, Any] = {**PPO, "entropy_coef": 0.002}
"""A fifth of the references' bonus for entropy.

Theirs holds the actions' noise up so far that the policy's mean, which is judged and deployed, falls at low speeds
(docs/experiments.md).
"""


@configclass
class Dhav1RoughRunnerCfg(RslRlOnPolicyRunnerCfg):
    """PPO on rough ground."""

    num_steps_per_env = 24
    max_iterations = 2000
    save_interval = 100
    experiment_name = "dhav1_rough"
    obs_groups = {"actor": ["policy"], "critic": ["policy"]}  # noqa: RUF012
    actor = RslRlMLPModelCfg(**NETWORK, distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=1.0))
    critic = RslRlMLPModelCfg(**NETWORK)
    # Without mirrored samples a policy learns to turn on the spot in one direction only.
    algorithm = RslRlPpoAlgorithmCfg(
        **ROUGH_PPO,
        symmetry_cfg=RslRlSymmetryCfg(data_augmentation_func=symmetry.MIRRORED, **symmetry.PRESETS["augmentation"]),
    )


@configclass
class Dhav1FlatRunnerCfg(Dhav1RoughRunnerCfg):
    """A smaller network and fewer iterations, with the references' PPO."""

    algorithm = RslRlPpoAlgorithmCfg(**PPO)

    def __post_init__(self) -> None:
        self.max_iterations = 400
        self.experiment_name = "dhav1_flat"
        self.actor.hidden_dims = [128, 128, 128]
        self.critic.hidden_dims = [128, 128, 128]
