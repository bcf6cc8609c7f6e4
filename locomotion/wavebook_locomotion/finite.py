"""Stops a training before it learns from values that are not numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch


class NumberCheck:
    """Looks at every step and asks the device once a rollout.

    rsl_rl's own check reads each group of observations, the rewards and the ends at every step, and waits for the
    device each time.
    """

    def __init__(self, every: int) -> None:
        """Start with nothing seen.

        Args:
            every: Steps of a rollout.
        """
        self._every = every
        self._steps = 0
        self._found: dict[str, torch.Tensor] = {}

    def add(self, observations: Mapping[str, torch.Tensor], rewards: torch.Tensor) -> None:
        """Take a step in; at the last one of a rollout tell what was wrong in any.

        Args:
            observations: By group, each of shape ``[num_envs, columns]``.
            rewards: Shape ``[num_envs]``.

        Raises:
            ValueError: An observation or reward of the rollout is not a number, or infinite: normalised, one infinite
                reward makes every advantage of the rollout not a number.
        """
        values = {f"observation group {name!r}": value for name, value in observations.items()} | {"rewards": rewards}
        for name, value in values.items():
            found = ~torch.isfinite(value).all()
            self._found[name] = self._found[name] | found if name in self._found else found
        self._steps += 1
        if self._steps < self._every:
            return
        flags = torch.stack(list(self._found.values())).tolist()
        names = [name for name, flag in zip(self._found, flags, strict=True) if flag]
        self._steps = 0
        self._found.clear()
        if names:
            raise ValueError(
                f"The {' and the '.join(names)} returned by the environment contain NaN or infinite values, at one of"
                f" the last {self._every} steps. This usually indicates a bug in a term of the task."
            )
