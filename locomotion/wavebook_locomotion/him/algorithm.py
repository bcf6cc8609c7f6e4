"""PPO that also trains the internal model of its actor."""

from __future__ import annotations

from typing import Any

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.env import VecEnv
from rsl_rl.utils import reduce_gradients_in_buckets
from tensordict import TensorDict

from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.graphed_ppo import GraphedPPO
from wavebook_locomotion.him.estimator import VELOCITY
from wavebook_locomotion.him.model import SUCCESSOR, HimModel
from wavebook_locomotion.symmetry.mirror import NEXT

_NEXT_SUCCESSOR = NEXT + SUCCESSOR
_OPTIMIZER = "estimator_optimizer_state_dict"


class HimPPO(GraphedPPO):
    """PPO with the internal model of HIM (Long et al., arXiv 2312.11460).

    Every step is stored with what the step after it showed; where an episode ended that is its last observation, not
    the first of the next episode. After PPO's own epochs the internal model learns from the same rollout, with an
    optimiser of its own. HIMLoco has it learn before each of PPO's steps instead; then the ratio of PPO's new to its
    old probabilities also holds what the internal model changed.

    Adds to the losses: ``velocity_estimate``, the mean squared error of the estimate over the rollout before anything
    was learnt from it, ``velocity_variance``, that of guessing the mean (both [m^2/s^2], means of the three axes), and
    ``swapped_prediction``.

    Args of its own, beside PPO's:
        estimator_learning_rate: Step size of the internal model's Adam.
        estimator_max_grad_norm: Its gradients' largest norm.
    """

    def __init__(
        self,
        *args: Any,
        estimator_learning_rate: float = 1.0e-3,
        estimator_max_grad_norm: float = 10.0,
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        if not isinstance(self._raw_actor, HimModel):
            raise ConfigurationError(f"HimPPO trains a HimModel, not a {type(self._raw_actor).__name__}")
        self.estimator = self._raw_actor.estimator
        self.estimator_optimizer = torch.optim.Adam(self.estimator.parameters(), lr=estimator_learning_rate)
        self.estimator_max_grad_norm = estimator_max_grad_norm

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict[str, Any], device: str) -> PPO:
        """rsl_rl's, with room for what the next step shows.

        Raises:
            ConfigurationError: The environment does not tell the last observation of an episode, or lacks the group.
        """
        if SUCCESSOR not in obs:
            raise ConfigurationError(f"HIM needs an observation group {SUCCESSOR!r}; there are {', '.join(obs.keys())}")
        if not env.unwrapped.cfg.compute_final_obs:
            raise ConfigurationError(
                "HIM needs env.compute_final_obs, or it learns from the wrong episode's first step"
            )
        return PPO.construct_algorithm(_with_next(obs, obs[SUCCESSOR]), env, cfg, device)

    def process_env_step(
        self, obs: TensorDict, rewards: torch.Tensor, dones: torch.Tensor, extras: dict[str, Any]
    ) -> None:
        successor = obs[SUCCESSOR]
        if "final_obs" in extras:  # of the last step at which any episode ended
            last = extras["final_obs"][SUCCESSOR].to(self.device)
            successor = torch.where(dones.bool().unsqueeze(1), last, successor)
        self.transition.observations = _with_next(self.transition.observations, successor)
        super().process_env_step(obs, rewards, dones, extras)

    def update(self) -> dict[str, float]:
        rollout = self.storage.observations.flatten(0, 1)
        # The guard ends the episode of a robot whose simulation broke with values that are not numbers.
        rows = torch.isfinite(rollout[_NEXT_SUCCESSOR]).all(dim=1).nonzero().flatten()
        estimate = self._errors(rollout, rows)
        return super().update() | estimate | {"swapped_prediction": self._update_estimator(rollout, rows)}

    def save(self) -> dict[str, Any]:
        return super().save() | {_OPTIMIZER: self.estimator_optimizer.state_dict()}

    def load(self, loaded_dict: dict[str, Any], load_cfg: dict[str, Any] | None, strict: bool) -> bool:
        if load_cfg is None or load_cfg.get("optimizer"):
            self.estimator_optimizer.load_state_dict(loaded_dict[_OPTIMIZER])
        return super().load(loaded_dict, load_cfg, strict)

    @torch.no_grad()
    def _errors(self, rollout: TensorDict, rows: torch.Tensor) -> dict[str, float]:
        true = rollout[_NEXT_SUCCESSOR][rows, :VELOCITY]
        estimate = self._raw_actor.velocity(rollout)[rows]
        return {
            "velocity_estimate": (estimate - true).square().mean().item(),
            "velocity_variance": true.var(dim=0, correction=0).mean().item(),
        }

    def _update_estimator(self, rollout: TensorDict, rows: torch.Tensor) -> float:
        """PPO's number of epochs and minibatches for the internal model; returns the mean swapped prediction."""
        needed = rollout.select(*self._raw_actor.obs_groups, _NEXT_SUCCESSOR)
        total = torch.zeros((), device=self.device)  # read once: reading waits for the device
        for _ in range(self.num_learning_epochs):
            shuffled = rows[torch.randperm(len(rows), device=rows.device)]
            for chosen in shuffled.tensor_split(self.num_mini_batches):
                batch = needed[chosen]
                if self.symmetry and self.symmetry.use_data_augmentation:
                    batch, _ = self.symmetry.data_augmentation_func(env=self.symmetry.env, obs=batch, actions=None)
                velocity, swapped = self.estimator.losses(self._raw_actor.history(batch), batch[_NEXT_SUCCESSOR])
                self.estimator_optimizer.zero_grad()
                (velocity + swapped).backward()
                if self.is_multi_gpu:
                    reduce_gradients_in_buckets(
                        self.estimator.parameters(), self.gpu_world_size, self.grad_reduce_bucket_mb
                    )
                torch.nn.utils.clip_grad_norm_(self.estimator.parameters(), self.estimator_max_grad_norm)
                self.estimator_optimizer.step()
                total += swapped.detach()
        # PPO's optimiser holds all of the actor's parameters, and passes over those without a gradient.
        self.estimator_optimizer.zero_grad()
        return float(total) / (self.num_learning_epochs * self.num_mini_batches)


def _with_next(obs: TensorDict, successor: torch.Tensor) -> TensorDict:
    return TensorDict({**obs, _NEXT_SUCCESSOR: successor}, batch_size=obs.batch_size, device=obs.device)
