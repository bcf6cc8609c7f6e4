"""Keeps one broken simulation from ending the training of all: finds it, resets it, counts it, keeps it for inspection.

A robot's simulation is broken where its state is no longer a number, runs away (joints or base far beyond any speed
that a motor or a fall can give) or has left the world (below the ground, or beyond its edge). The check is a
termination term; the environment below keeps what such a robot would have contributed out of the rewards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.managers import ManagerTermBase, RewardManager, SceneEntityCfg

TERM = "simulation_broken"
"""Name of the termination term in the tasks' configuration."""

REASONS = ("not finite", "joint speed", "base speed", "below ground")
"""What can be wrong, by its column in a record."""


class SimulationBroken(ManagerTermBase):
    """Termination term: robots whose simulation is broken.

    Args of the term:
        max_joint_speed: Speed that no joint reaches [rad/s].
        max_base_speed: Speed that no base reaches [m/s].
        max_depth: Depth of the base below the lowest point where robots start [m].
    """

    def __init__(self, cfg: Any, env: ManagerBasedRLEnv) -> None:
        super().__init__(cfg, env)
        self.broken = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
        """Robots found broken in this step, shape ``[num_envs]``."""
        self.reasons = torch.zeros(env.num_envs, len(REASONS), dtype=torch.bool, device=env.device)
        """Why, shape ``[num_envs, 4]``."""

    def __call__(
        self,
        env: ManagerBasedRLEnv,
        max_joint_speed: float,
        max_base_speed: float,
        max_depth: float,
        asset_cfg: SceneEntityCfg = SceneEntityCfg("robot"),  # noqa: B008 - Isaac Lab copies it for each term
    ) -> torch.Tensor:
        data = env.scene[asset_cfg.name].data
        root, speed = data.root_pos_w.torch, data.root_lin_vel_w.torch
        body = torch.cat((root, data.root_quat_w.torch, speed, data.root_ang_vel_w.torch), dim=1)
        joints = torch.cat((data.joint_pos.torch, data.joint_vel.torch), dim=1)
        lowest = env.scene.env_origins[:, 2].min() - max_depth
        self.reasons[:, 0] = ~(torch.isfinite(body).all(dim=1) & torch.isfinite(joints).all(dim=1))
        self.reasons[:, 1] = data.joint_vel.torch.abs().amax(dim=1) > max_joint_speed
        self.reasons[:, 2] = torch.linalg.norm(speed, dim=1) > max_base_speed
        self.reasons[:, 3] = root[:, 2] < lowest
        torch.any(self.reasons, dim=1, out=self.broken)
        return self.broken


class GuardedRewardManager(RewardManager):
    """Isaac Lab's reward manager; a robot whose simulation is broken gets no reward for this step."""

    def compute(self, dt: float) -> torch.Tensor:
        rewards = super().compute(dt)
        guard = _guard(self._env)
        if guard is not None:
            # Where the state is not a number its sum over the episode is not one either: that episode counts nothing.
            rewards.masked_fill_(guard.broken, 0.0)
            self._step_reward.masked_fill_(guard.broken.unsqueeze(1), 0.0)
            self._episode_sum_buf.masked_fill_(guard.broken.unsqueeze(1), 0.0)
        return rewards


class GuardedRLEnv(ManagerBasedRLEnv):
    """Isaac Lab's environment with the guard."""

    max_records: int = 20
    """Broken robots that are written down; the rest are only counted."""

    def __init__(self, cfg: Any, render_mode: str | None = None, **kwargs: Any) -> None:
        self.guard_resets = 0
        """Robots reset by the guard since the environment was opened."""
        self.record_folder: Path | None = None
        """Where broken robots are written down, one .npz each; None for nowhere."""
        self._before: dict[str, torch.Tensor] | None = None
        super().__init__(cfg, render_mode, **kwargs)

    def load_managers(self) -> None:
        super().load_managers()
        self.reward_manager = GuardedRewardManager(self.cfg.rewards, self)

    def step(self, action: torch.Tensor) -> Any:
        if self.record_folder is not None and self.guard_resets < self.max_records:
            self._before = {name: value.clone() for name, value in self._state().items()}
        return super().step(action)

    def _reset_idx(self, env_ids: torch.Tensor | slice) -> None:
        guard = _guard(self)
        if guard is not None:
            found = guard.broken.nonzero().flatten().tolist()
            for index in found:
                self._record(guard, index)
                self.guard_resets += 1
            if found and "final_obs" in self.extras:
                # Of a broken robot nothing is to be learnt, also where it is too fast or too low and all numbers.
                for group in self.extras["final_obs"].values():
                    group[found] = torch.nan
        # Isaac Lab gives 32 bits, which torch turns into its 64 at every use: a third of a reset's launches.
        super()._reset_idx(env_ids if isinstance(env_ids, slice) else env_ids.long())
        if guard is not None:
            guard.broken.zero_()

    def _state(self) -> dict[str, torch.Tensor]:
        data = self.scene["robot"].data
        return {
            "root_position": data.root_pos_w.torch,
            "root_orientation": data.root_quat_w.torch,
            "root_velocity": data.root_lin_vel_w.torch,
            "root_angular_velocity": data.root_ang_vel_w.torch,
            "joint_pos": data.joint_pos.torch,
            "joint_vel": data.joint_vel.torch,
        }

    def _record(self, guard: SimulationBroken, index: int) -> None:
        if self.record_folder is None or self.guard_resets >= self.max_records:
            return
        arrays: dict[str, Any] = {f"after_{name}": value[index].cpu().numpy() for name, value in self._state().items()}
        for name, value in (self._before or {}).items():
            arrays[f"before_{name}"] = value[index].cpu().numpy()
        terrain = self.scene.terrain
        arrays["environment"] = np.array(index)
        if terrain is not None and getattr(terrain, "terrain_origins", None) is not None:
            arrays["terrain_column"] = terrain.terrain_types[index].cpu().numpy()
            kind = column_name(terrain.cfg.terrain_generator, int(terrain.terrain_types[index]))
            if kind is not None:
                arrays["terrain"] = np.array(kind)
            arrays["terrain_level"] = terrain.terrain_levels[index].cpu().numpy()
        arrays["action"] = self.action_manager.action[index].cpu().numpy()
        arrays["reasons"] = guard.reasons[index].cpu().numpy()
        arrays["step"] = np.array(self.common_step_counter)
        self.record_folder.mkdir(parents=True, exist_ok=True)
        np.savez(self.record_folder / f"broken-{self.guard_resets:03d}.npz", **arrays)


def column_name(generator: Any, column: int) -> str | None:
    """Name of the sub-terrain that stands in a column of a generated ground; None where columns are of no one kind.

    Under a curriculum Isaac Lab's generator gives each column one sub-terrain, in order and in proportion
    (``TerrainGenerator._generate_curriculum_terrains``).
    """
    if generator is None or not generator.curriculum:
        return None
    proportions = np.array([terrain.proportion for terrain in generator.sub_terrains.values()])
    bounds = np.cumsum(proportions / proportions.sum())
    return list(generator.sub_terrains)[int(np.min(np.where(column / generator.num_cols + 0.001 < bounds)[0]))]


def _guard(env: Any) -> SimulationBroken | None:
    if TERM not in env.termination_manager.active_terms:
        return None
    function = env.termination_manager.get_term_cfg(TERM).func
    return function if isinstance(function, SimulationBroken) else None
