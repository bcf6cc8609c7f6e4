"""The blind actor that acts on its newest observation and on what the internal model makes of its history."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict
from torch import nn

from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.him.estimator import VELOCITY, Encoder, HimEstimator

SUCCESSOR = "successor"
"""The observation set, and group, from which the internal model learns: true velocity and observation, no noise."""


class NewestAndEstimate(nn.Module):
    """What the actor's network sees: the newest frame of a history, the velocity and the latent."""

    def __init__(self, encoder: Encoder, frame: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.frame = frame

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        """Shape ``[n, frames * frame]``, oldest first, to ``[n, frame + 3 + latent]``."""
        return torch.cat((history[..., -self.frame :], self.encoder(history)), dim=-1)


class HimModel(MLPModel):
    """rsl_rl's actor with the internal model of HIM (Long et al., arXiv 2312.11460).

    Its observation set is a history in the order of time, oldest frame first. The estimate is detached: the policy's
    gradient does not reach the internal model, which learns in `wavebook_locomotion.him.algorithm.HimPPO`.

    Args of its own, beside `MLPModel`'s:
        history_length: Frames of the history.
        latent_dim: Columns of the latent.
        prototypes: Prototypes of the swapped prediction.
        encoder_hidden_dims: Hidden layers of the encoder.
        successor_hidden_dims: Hidden layers of the network over the next step.
        temperature: Of the swapped prediction.

    Raises:
        ConfigurationError: The history cannot be divided into its frames, or there is nothing to learn from.
    """

    def __init__(
        self,
        obs: TensorDict,
        obs_groups: dict[str, list[str]],
        obs_set: str,
        output_dim: int,
        *,
        history_length: int = 6,
        latent_dim: int = 16,
        prototypes: int = 32,
        encoder_hidden_dims: Sequence[int] = (128, 64),
        successor_hidden_dims: Sequence[int] = (128, 64),
        temperature: float = 3.0,
        activation: str = "elu",
        **settings: Any,
    ) -> None:
        if SUCCESSOR not in obs_groups:
            raise ConfigurationError(f"HIM needs an observation set {SUCCESSOR!r}; there are {', '.join(obs_groups)}")
        history = sum(obs[group].shape[-1] for group in obs_groups[obs_set])
        if history % history_length:
            raise ConfigurationError(
                f"the policy's observation has {history} columns, which cannot be {history_length} frames; HIM takes a"
                " history of its whole group, in the order of time"
            )
        self.frame = history // history_length
        self.latent_dim = latent_dim
        super().__init__(obs, obs_groups, obs_set, output_dim, activation=activation, **settings)
        self.estimator = HimEstimator(
            history,
            sum(obs[group].shape[-1] for group in obs_groups[SUCCESSOR]),
            latent_dim,
            prototypes,
            encoder_hidden_dims,
            successor_hidden_dims,
            activation,
            temperature,
        )

    def history(self, obs: TensorDict) -> torch.Tensor:
        """The history as the encoder takes it, normalised where that is asked for, shape ``[n, frames * frame]``."""
        return super().get_latent(obs)

    def get_latent(self, obs: TensorDict, masks: torch.Tensor | None = None, hidden_state: Any = None) -> torch.Tensor:
        """What the actor's network sees, shape ``[n, frame + 3 + latent_dim]``."""
        with torch.no_grad():
            return self._newest_and_estimate()(self.history(obs))

    def velocity(self, obs: TensorDict) -> torch.Tensor:
        """The estimate of the base's velocity in its own frame [m/s], shape ``[n, 3]``."""
        return self.estimator.encoder(self.history(obs))[..., :VELOCITY]

    def as_jit(self) -> nn.Module:
        """The actor for TorchScript: a history in, actions out."""
        return self._with_estimate(super().as_jit())

    def as_onnx(self, verbose: bool = False) -> nn.Module:
        """The actor for ONNX: a history in, actions out."""
        return self._with_estimate(super().as_onnx(verbose))

    def _newest_and_estimate(self) -> NewestAndEstimate:
        return NewestAndEstimate(self.estimator.encoder, self.frame)

    def _with_estimate(self, exported: Any) -> nn.Module:
        # rsl_rl's exported module normalises and then acts: the estimate goes in between.
        exported.obs_normalizer = nn.Sequential(exported.obs_normalizer, copy.deepcopy(self._newest_and_estimate()))
        return exported

    def _get_latent_dim(self) -> int:
        return self.frame + VELOCITY + self.latent_dim
