"""The scalars of an iteration, gathered without waiting for the device at each step."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from rsl_rl.utils.log_writer import LogWriter
from rsl_rl.utils.logger import Logger

if TYPE_CHECKING:
    from wavebook_locomotion.learner import MeasuredVecEnv

OnIteration = Callable[[int, dict[str, float]], None]
"""Takes the number of an iteration and its scalars, named as rsl_rl names them."""

GUARD_RESETS = "Guard/resets"
"""Robots that the guard reset since the training began."""


class MetricWriter(LogWriter):
    """rsl_rl's log writer plug-in that keeps an iteration's scalars until they are taken."""

    def __init__(self, log_dir: str | None = None) -> None:
        self._values: dict[str, float] = {}

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Keep one scalar; rsl_rl's copies over seconds instead of iterations are left out."""
        if not tag.endswith("/time"):
            self._values[tag] = float(scalar_value)

    def take(self) -> dict[str, float]:
        """The scalars since the last call."""
        values, self._values = self._values, {}
        return values


class IterationLogger(Logger):
    """rsl_rl's logger, which hands each iteration's scalars to a callback instead of printing a page of them.

    What it logs is rsl_rl's. But rsl_rl reads the rewards of ended episodes from the device at every step, and each
    scalar on its own: some seventy waits an iteration. Here they stay on the device until the iteration is over. Of
    several ranks each keeps its own; the first hands on their mean.
    """

    on_iteration: OnIteration
    env: MeasuredVecEnv
    rank: int
    ended: list[torch.Tensor]
    """Of each step since the last log: whether an episode ended, its reward and its length, ``[3, num_envs]``."""

    def process_env_step(
        self,
        rewards: torch.Tensor,
        dones: torch.Tensor,
        extras: dict[str, Any],
        intrinsic_rewards: torch.Tensor | None = None,
    ) -> None:
        """Keep what a step tells of episodes."""
        if self.writer is None or intrinsic_rewards is not None:
            super().process_env_step(rewards, dones, extras, intrinsic_rewards)
            return
        if "log" in extras:
            self.ep_extras.append(extras["log"])
        done = dones > 0
        self.cur_reward_sum += rewards
        self.cur_episode_length += 1
        self.ended.append(torch.stack((done.float(), self.cur_reward_sum, self.cur_episode_length)))
        self.cur_reward_sum.masked_fill_(done, 0.0)
        self.cur_episode_length.masked_fill_(done, 0.0)

    def log(self, it: int, *args: Any, **kwargs: Any) -> None:
        self._read_episodes(it)
        with contextlib.redirect_stdout(io.StringIO()):
            super().log(it, *args, **kwargs)
        if not isinstance(self.writer, MetricWriter):
            return
        values = self.writer.take() | self.env.take_measurements()
        if self.gpu_world_size > 1:
            gathered: list[Any] = [None] * self.gpu_world_size
            torch.distributed.all_gather_object(gathered, values)
            values = mean_of_ranks(gathered)
        if self.rank == 0:
            self.on_iteration(it, values)

    def _read_episodes(self, it: int) -> None:
        """Hand the episodes that ended to rsl_rl's windows, and their logs to the writer, with one read each."""
        if self.ended:
            done, rewards, lengths = torch.stack(self.ended, dim=1)
            # By step, and by robot within a step, as rsl_rl goes through them.
            found = torch.stack((rewards, lengths), dim=-1)[done > 0.0]
            rewarded, lasted = found.T.tolist()
            self.rewbuffer.extend(rewarded)
            self.lenbuffer.extend(lasted)
            self.ended.clear()
        if self.ep_extras and self.writer is not None:
            for name, value in mean_by_name(self.ep_extras, self.device).items():
                self.writer.add_scalar(name if "/" in name else f"Episode/{name}", value, it)
            self.ep_extras.clear()


def mean_by_name(logs: Sequence[dict[str, Any]], device: str) -> dict[str, float]:
    """The mean of each value over the logs that have it.

    Args:
        logs: Numbers and tensors by name.
        device: Where they are averaged.
    """
    names = dict.fromkeys(name for log in logs for name in log)
    means = [
        torch.cat([torch.as_tensor(log[name], device=device).reshape(-1).float() for log in logs if name in log]).mean()
        for name in names
    ]
    return dict(zip(names, torch.stack(means).tolist(), strict=True)) if means else {}


def mean_of_ranks(values: Sequence[dict[str, float]]) -> dict[str, float]:
    """Each scalar's mean over the ranks that have it; of what is counted, the sum."""
    merged = {}
    for name in dict.fromkeys(name for rank in values for name in rank):
        found = [rank[name] for rank in values if name in rank]
        merged[name] = sum(found) if name == GUARD_RESETS else sum(found) / len(found)
    return merged
