"""The internal model: from a history of observations to the velocity and a latent of how the robot responds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from rsl_rl.modules import MLP
from torch import nn
from torch.nn import functional

VELOCITY = 3
"""Columns of a velocity, the first of what the estimator learns from."""


class Encoder(nn.Module):
    """A history of frames in, the velocity [m/s] and a latent of length 1 out.

    Args:
        inputs: Columns of the history, all frames behind each other.
        latent_dim: Columns of the latent.
        hidden_dims: Width of each hidden layer.
        activation: Name of rsl_rl's activation.
    """

    def __init__(self, inputs: int, latent_dim: int, hidden_dims: Sequence[int], activation: str) -> None:
        super().__init__()
        self.velocity_dim = VELOCITY
        self.layers = MLP(inputs, VELOCITY + latent_dim, list(hidden_dims), activation)

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        """Shape ``[n, inputs]`` to ``[n, 3 + latent_dim]``."""
        encoded = self.layers(history)
        latent = functional.normalize(encoded[..., self.velocity_dim :], dim=-1)
        return torch.cat((encoded[..., : self.velocity_dim], latent), dim=-1)


class HimEstimator(nn.Module):
    """The encoder and what it learns from: a network over the next step, and prototypes that both are assigned to.

    Two losses: the mean squared error of the velocity, and swapped prediction (Caron et al., arXiv 2006.09882). The
    encoder's latent z and the latent y of the step after are each compared with prototypes; from one the assignment of
    the other is to be predicted::

        -1/2 mean over samples and prototypes of (q_z log p_y + q_y log p_z),  p = softmax(score / temperature)

    with assignments q that use all prototypes equally (`assignments`). This follows HIMLoco's mean over prototypes,
    which weighs the loss by one over their number.

    Args:
        history_dim: Columns of the history.
        successor_dim: Columns of what the next step shows: the true velocity, then what the policy sees of it.
        latent_dim: Columns of the latent.
        prototypes: Number of prototypes.
        encoder_hidden_dims: Hidden layers of the encoder.
        successor_hidden_dims: Hidden layers of the network over the next step.
        activation: Name of rsl_rl's activation.
        temperature: Of the predictions, without dimension.
    """

    prototypes: nn.Parameter

    def __init__(
        self,
        history_dim: int,
        successor_dim: int,
        latent_dim: int,
        prototypes: int,
        encoder_hidden_dims: Sequence[int],
        successor_hidden_dims: Sequence[int],
        activation: str,
        temperature: float,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(history_dim, latent_dim, encoder_hidden_dims, activation)
        self.successor = MLP(successor_dim, latent_dim, list(successor_hidden_dims), activation)
        self.prototypes = nn.Parameter(torch.randn(prototypes, latent_dim))
        self.temperature = temperature

    def losses(self, history: torch.Tensor, successor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The two losses: velocity [m^2/s^2] and swapped prediction.

        Args:
            history: Shape ``[n, history_dim]``.
            successor: Shape ``[n, successor_dim]``.
        """
        with torch.no_grad():
            self.prototypes.copy_(functional.normalize(self.prototypes, dim=-1))
        encoded = self.encoder(history)
        velocity = functional.mse_loss(encoded[:, :VELOCITY], successor[:, :VELOCITY])
        ahead = encoded[:, VELOCITY:] @ self.prototypes.T
        behind = functional.normalize(self.successor(successor), dim=-1) @ self.prototypes.T
        predicted_ahead = functional.log_softmax(ahead / self.temperature, dim=-1)
        predicted_behind = functional.log_softmax(behind / self.temperature, dim=-1)
        swapped = -0.5 * (assignments(ahead) * predicted_behind + assignments(behind) * predicted_ahead).mean()
        return velocity, swapped


@torch.no_grad()
def assignments(scores: torch.Tensor, epsilon: float = 0.05, iterations: int = 3) -> torch.Tensor:
    """Share each sample out over the prototypes so that all prototypes get about the same: Sinkhorn and Knopp.

    Rows and columns of ``exp(scores / epsilon)`` are brought to their sums in turn, in logarithms: the scores over
    epsilon reach 20.

    Args:
        scores: Likeness of n samples and k prototypes, shape ``[n, k]``.
        epsilon: Smoothness: the smaller, the more a sample belongs to one prototype.
        iterations: How often.

    Returns:
        Shape ``[n, k]``; each row sums to 1, each column to about ``n / k``.
    """
    logs = scores / epsilon
    share = math.log(scores.shape[0] / scores.shape[1])
    for _ in range(iterations):
        logs = logs - torch.logsumexp(logs, dim=0, keepdim=True) + share
        logs = logs - torch.logsumexp(logs, dim=1, keepdim=True)
    return logs.exp()
