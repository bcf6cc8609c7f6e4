"""rsl_rl's PPO without its waits, and as two CUDA graphs on a GPU.

At each of an update's twenty minibatches rsl_rl reads three losses and two comparisons from the device, and Python
launches some 210 kernels that take 3.6 ms on an H100 and longer to launch. Here the divergence sets the learning rate
on the device, the losses are read once an update, and what a minibatch and the choice of an action launch is recorded
once as a CUDA graph each and launched whole from then on. Without a GPU the same functions run as they are.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.modules import GaussianDistribution
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict
from torch import nn

SMALLEST_RATE, LARGEST_RATE, RATE_FACTOR = 1.0e-5, 1.0e-2, 1.5
"""Bounds and factor of the adaptive learning rate, which stand as numbers in rsl_rl's update."""

LARGEST_ACTION = 1.0e4
"""Larger actions are no policy's: a joint is told to turn by a fraction of an action in radians."""

DIVERGED = "the learner diverged. A smaller learning rate, or smaller rewards, may keep it from that."
A_BUG = "This usually indicates a bug in a term of the task."


class UncheckedGaussian(GaussianDistribution):
    """rsl_rl's Gaussian; drawing from it does not read the device.

    ``torch.normal`` reads whether any deviation is negative, and a graph cannot hold that. The deviation is clamped.
    """

    def sample(self) -> torch.Tensor:
        """One value each, shape ``[n, actions]``; for the same random state that of ``torch.normal``."""
        with torch.no_grad():
            return torch.addcmul(self.mean, self.std, torch.randn_like(self.mean))


class GraphedPPO(PPO):
    """rsl_rl's PPO: what it computes and stores is the same, but for rounding.

    An update of recurrent models, with RND, in mixed precision, over several ranks or by another optimiser than Adam is
    left to rsl_rl's own code. Graphs need an `UncheckedGaussian`, and models that keep their tensors: rsl_rl's
    normalisation of observations makes new ones.
    """

    graphs: bool = True
    """Whether a GPU is given graphs, from the second update on; otherwise one operation after the other."""

    check_numbers: bool = True
    """Whether values that are not numbers, or infinite, end a training."""

    learning_rate: float
    _recorded: bool
    _act: _Recorded
    _learn: _Recorded

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        models = (self._raw_actor, self._raw_critic)
        self._graphable = (
            torch.device(self.device).type == "cuda"
            and isinstance(self._raw_actor.distribution, UncheckedGaussian)
            and not any(model.obs_normalization for model in models)
        )
        self._at_once = isinstance(self.optimizer, torch.optim.Adam) and not (
            self.rnd or self.use_mixed_precision or self.is_multi_gpu or any(model.is_recurrent for model in models)
        )
        self._groups = list(dict.fromkeys(group for model in models for group in model.obs_groups))
        self._rate = torch.zeros((), dtype=torch.float64, device=self.device)
        self._adam_rate = torch.zeros((), device=self.device)
        self._losses = torch.zeros(3 + (self.symmetry is not None), dtype=torch.float64, device=self.device)
        self._batch: dict[str, torch.Tensor] = {}
        self._seen: TensorDict | None = None
        self._forget_graphs()

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Sample actions and keep what the update needs to know of them."""
        if not self._recorded:
            return super().act(obs)
        with torch.inference_mode():
            if self._seen is None:
                self._seen = obs.select(*self._groups).clone()
            for group in self._groups:
                self._seen[group].copy_(obs[group])
            kept = self.transition
            kept.actions, kept.values, kept.actions_log_prob, kept.distribution_params = self._act()
        kept.observations = obs
        return kept.actions

    def compute_returns(self, obs: TensorDict) -> None:
        """Compute what the critic and the advantages should have been, from the rollout and what was seen last.

        Raises:
            ValueError: An observation or reward of the rollout is not a number, or infinite: normalised, one infinite
                reward makes every advantage of the rollout not a number.
        """
        if self.check_numbers:
            self._check_rollout(obs)
        super().compute_returns(obs)

    def update(self) -> dict[str, float]:
        """Learn from the rollout in the storage and empty it; returns the mean losses by name.

        Raises:
            ValueError: A loss is not a number, or infinite.
        """
        losses = self._update_at_once() if self._at_once else super().update()
        broken = [name for name, loss in losses.items() if not math.isfinite(loss)]
        if broken and self.check_numbers:
            raise ValueError(
                f"The learner returned values that are not numbers for the loss {' and '.join(broken)}: {DIVERGED}"
            )
        return losses

    def load(self, loaded_dict: dict[str, Any], load_cfg: dict[str, Any] | None, strict: bool) -> bool:
        self._forget_graphs()  # they write into the optimiser's state that goes now
        return super().load(loaded_dict, load_cfg, strict)

    def _update_at_once(self) -> dict[str, float]:
        """What rsl_rl's update does, with one read at its end."""
        stored = self.storage
        size = stored.num_envs * stored.num_transitions_per_env // self.num_mini_batches
        rollout = self._rollout()
        if not self._batch:
            self._batch = {name: values.new_empty(size, *values.shape[1:]) for name, values in rollout.items()}
        self._rate.fill_(self.learning_rate)
        self._losses.zero_()
        shuffled = torch.randperm(self.num_mini_batches * size, device=self.device)
        with self._rate_on_device():
            for _ in range(self.num_learning_epochs):
                for rows in shuffled.split(size):
                    for name, values in rollout.items():
                        torch.index_select(values, 0, rows, out=self._batch[name])
                    if self._recorded:
                        self._learn()
                    else:
                        self._learn_from_batch()
        count = self.num_learning_epochs * self.num_mini_batches
        *losses, self.learning_rate = torch.cat((self._losses / count, self._rate.unsqueeze(0))).tolist()
        observations = stored.observations.flatten(0, 1)
        self.actor.update_normalization(observations)
        self.critic.update_normalization(observations)
        stored.clear()
        # Only now has every operation run once, as recording wants it: allocations, handles, the optimiser's state.
        self._recorded = self.graphs and self._graphable
        names = ("value", "surrogate", "entropy", "symmetry")
        return dict(zip(names[: len(losses)], losses, strict=True))

    def _forget_graphs(self) -> None:
        self._recorded = False
        self._act = _Recorded(self._choose)
        self._learn = _Recorded(self._learn_from_batch)

    def _check_rollout(self, last: TensorDict) -> None:
        stored = self.storage
        seen = {f"observation group {name!r}": [stored.observations[name], values] for name, values in last.items()}
        finite = {
            name: torch.stack([torch.isfinite(values).all() for values in parts]).all()
            for name, parts in {**seen, "rewards": [stored.rewards]}.items()
        }
        *fine, largest = torch.stack([*(flag.float() for flag in finite.values()), stored.actions.abs().max()]).tolist()
        names = [name for name, is_fine in zip(finite, fine, strict=True) if not is_fine]
        if names:
            run_away = not largest < LARGEST_ACTION
            cause = f"The policy's actions reach {largest:.1e}: {DIVERGED}" if run_away else A_BUG
            raise ValueError(
                f"The {' and the '.join(names)} returned by the environment contain NaN or infinite values, at one of"
                f" the last {stored.num_transitions_per_env} steps. {cause}"
            )

    @contextlib.contextmanager
    def _rate_on_device(self) -> Iterator[None]:
        """Let the optimiser read its step size on the device; what is saved of it holds plain numbers."""
        for group in self.optimizer.param_groups:
            group.update(lr=self._adam_rate, capturable=self._rate.is_cuda)
        try:
            yield
        finally:
            for group in self.optimizer.param_groups:
                group.update(lr=float(self._rate), capturable=False)

    def _choose(self) -> tuple[Any, ...]:
        super().act(self._seen)
        kept = self.transition
        return kept.actions, kept.values, kept.actions_log_prob, kept.distribution_params

    def _rollout(self) -> dict[str, torch.Tensor]:
        """What was stored, by name and without its time axis, each of shape ``[steps * num_envs, columns]``."""
        stored = self.storage
        names = ("actions", "values", "advantages", "returns", "actions_log_prob")
        found = {name: getattr(stored, name) for name in names}
        found |= {f"old {index}": values for index, values in enumerate(stored.distribution_params or ())}
        found |= {f"group {group}": stored.observations[group] for group in self._groups}
        return {name: values.flatten(0, 1) for name, values in found.items()}

    def _learn_from_batch(self) -> None:
        """One step of the optimiser from what stands in ``_batch``: rsl_rl's, with nothing read from the device."""
        parts = self._batch
        size = len(parts["actions"])
        batch = RolloutStorage.Batch(
            observations=TensorDict(
                {group: parts[f"group {group}"] for group in self._groups}, batch_size=[size], device=self.device
            ),
            actions=parts["actions"],
            values=parts["values"],
            advantages=parts["advantages"],
            returns=parts["returns"],
            old_actions_log_prob=parts["actions_log_prob"],
            old_distribution_params=tuple(values for name, values in parts.items() if name.startswith("old ")),
        )
        if self.normalize_advantage_per_mini_batch:
            batch.advantages = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std() + 1e-8)
        if self.symmetry:
            self.symmetry.augment_batch(batch, size)

        self.actor(batch.observations, stochastic_output=True)
        log_prob = self.actor.get_output_log_prob(batch.actions)
        values = self.critic(batch.observations)
        # Of mirrored samples neither divergence nor entropy counts.
        params = tuple(param[:size] for param in self.actor.output_distribution_params)
        entropy = self.actor.output_entropy[:size].mean()
        if self.desired_kl is not None and self.schedule == "adaptive":
            with torch.no_grad():
                self._adapt_rate(self.actor.get_kl_divergence(batch.old_distribution_params, params).mean())
        self._adam_rate.copy_(self._rate)

        advantages = batch.advantages.squeeze(-1)
        ratio = torch.exp(log_prob - batch.old_actions_log_prob.squeeze(-1))
        clipped = torch.clamp(ratio, 1.0 - self.clip_param, 1.0 + self.clip_param)
        surrogate = torch.max(-advantages * ratio, -advantages * clipped).mean()
        errors = (values - batch.returns).pow(2)
        if self.use_clipped_value_loss:
            near = batch.values + (values - batch.values).clamp(-self.clip_param, self.clip_param)
            errors = torch.max(errors, (near - batch.returns).pow(2))
        value = errors.mean()
        loss = surrogate + self.value_loss_coef * value - self.entropy_coef * entropy
        losses = [value, surrogate, entropy]
        if self.symmetry:
            losses.append(self._symmetry_loss(batch, size))
            if self.symmetry.use_mirror_loss:
                loss = loss + self.symmetry.mirror_loss_coeff * losses[-1]

        self.optimizer.zero_grad()
        loss.backward()
        for model in (self.actor, self.critic):
            nn.utils.clip_grad_norm_(model.parameters(), self.max_grad_norm)
        self.optimizer.step()
        self._losses += torch.stack(losses).detach()

    def _adapt_rate(self, divergence: torch.Tensor) -> None:
        """Shrink the learning rate where the policy moved too far, and grow it where it hardly moved."""
        smaller = (self._rate / RATE_FACTOR).clamp_min(SMALLEST_RATE)
        larger = (self._rate * RATE_FACTOR).clamp_max(LARGEST_RATE)
        slow = (divergence < self.desired_kl / 2.0) & (divergence > 0.0)
        rate = torch.where(slow, larger, self._rate)
        self._rate.copy_(torch.where(divergence > self.desired_kl * 2.0, smaller, rate))

    def _symmetry_loss(self, batch: RolloutStorage.Batch, size: int) -> torch.Tensor:
        """How far the actions at mirrored observations are from the mirrored actions, mean square.

        rsl_rl's, which however runs the actor once more on all observations for it, also where it is only logged.
        """
        mirror, env = self.symmetry.data_augmentation_func, self.symmetry.env
        mean = self.actor.output_mean
        if self.symmetry.use_data_augmentation:
            images = mean[size:]
        else:
            images = self.actor(mirror(env=env, obs=batch.observations, actions=None)[0][size:])
        wanted = mirror(env=env, obs=None, actions=mean[:size])[1][size:]
        loss = nn.functional.mse_loss(images, wanted.detach())
        return loss if self.symmetry.use_mirror_loss else loss.detach()


class _Recorded:
    """A function of tensors that stay where they are, recorded as a CUDA graph at its first call."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Any = None

    def __call__(self) -> Any:
        """Run it; what it returns are the same tensors each time, with new values."""
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            # The simulator's threads may call the driver meanwhile.
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._result = self._function()
        self._graph.replay()
        return self._result
