"""DHAV1 seen in a mirror: left and right exchanged, in what is observed and in what is done.

The mirror is the plane of x and z, ``M = diag(1, -1, 1)``. A vector v (velocity, gravity) becomes ``M v``, an axial
vector w (angular velocity) ``-M w``. A joint that turns by q about the axis a becomes the other side's joint that
turns by ``-q`` about ``M a``: the sign stays for axes along y and turns for axes in the mirror. Columns are found by
the names of the joints, the terms of the observation manager and the pattern of the rays, so that a changed
observation is mirrored rightly or refused.

Source: Mittal et al., Symmetry Considerations for Learning Task Symmetric Robot Policies, ICRA 2024.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from isaaclab_tasks.core.velocity import mdp
from tensordict import TensorDict

from wavebook_locomotion.errors import ConfigurationError, did_you_mean
from wavebook_locomotion.robots.dhav1.model import AXES

NEXT = "next_"
"""Before the name of an observation group: what that group shows in the step after."""

_OTHER_SIDE = {"L": "R", "R": "L"}


@dataclass(frozen=True)
class Mirror:
    """A reflection of vectors of n columns: column i becomes ``sign[i]`` times column ``index[i]``."""

    index: torch.Tensor
    """Shape ``[n]``, whole numbers."""
    sign: torch.Tensor
    """Shape ``[n]``, 1 or -1."""

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """``values`` of shape ``[..., n]``, mirrored."""
        return values[..., self.index] * self.sign

    def __len__(self) -> int:
        return len(self.index)

    def repeated(self, times: int) -> Mirror:
        """The reflection of so many such vectors behind each other, shape ``[..., times * n]``."""
        return joined([self] * times)

    def to(self, device: str) -> Mirror:
        """The same for values on ``device``."""
        return Mirror(self.index.to(device), self.sign.to(device))


def joined(mirrors: Sequence[Mirror]) -> Mirror:
    """The reflection of vectors that stand behind each other."""
    starts = [sum(len(mirror) for mirror in mirrors[:place]) for place in range(len(mirrors))]
    return Mirror(
        torch.cat([mirror.index + start for mirror, start in zip(mirrors, starts, strict=True)]),
        torch.cat([mirror.sign for mirror in mirrors]),
    )


VECTOR = Mirror(torch.arange(3), torch.tensor([1.0, -1.0, 1.0]))
AXIAL = Mirror(torch.arange(3), torch.tensor([-1.0, 1.0, -1.0]))
COMMAND = Mirror(torch.arange(3), torch.tensor([1.0, -1.0, -1.0]))
"""Forward velocity, velocity to the left, yaw rate."""


def joints(names: Sequence[str]) -> Mirror:
    """The reflection of joints' angles, speeds or torques in the order of ``names`` (``FL_hip_joint``).

    Raises:
        ConfigurationError: A joint is not one of DHAV1's, or its partner on the other side is missing.
    """
    index, signs = [], []
    for name in names:
        leg, _, part = name.partition("_")
        kind = part.removesuffix("_joint")
        if kind not in AXES or leg[1:] not in _OTHER_SIDE:
            raise ConfigurationError(f"the joint {name!r} has no mirror image: DHAV1's are named like FL_hip_joint")
        partner = f"{leg[0]}{_OTHER_SIDE[leg[1]]}_{part}"
        if partner not in names:
            raise ConfigurationError(
                f"the joint {name!r} has no mirror image here: {partner!r} is missing.{did_you_mean(partner, names)}"
            )
        index.append(list(names).index(partner))
        in_mirror = AXES[kind][1] == 0.0
        signs.append(-1.0 if in_mirror else 1.0)
    return Mirror(torch.tensor(index), torch.tensor(signs))


def rays(starts: torch.Tensor) -> Mirror:
    """The reflection of distances along parallel rays.

    Args:
        starts: Where each ray starts in the sensor's frame [m], shape ``[n, 3]``.

    Raises:
        ConfigurationError: A ray has no partner on the other side.
    """
    flipped = starts * VECTOR.sign
    distance, partner = torch.cdist(flipped, starts).min(dim=1)
    if float(distance.max()) > 1.0e-3:
        raise ConfigurationError("the height scan has no mirror image: its rays do not lie evenly left and right")
    return Mirror(partner, torch.ones(len(starts)))


def actions(env: Any) -> Mirror:
    """The reflection of the actions of ``env`` (Isaac Lab's environment), all of which are on joints."""
    manager = env.action_manager
    return joined([joints(_joints_of_action(env, manager.get_term(name))) for name in manager.active_terms])


def observations(env: Any, group: str) -> Mirror:
    """The reflection of an observation group of ``env`` (Isaac Lab's environment), its history included.

    Raises:
        ConfigurationError: The group is not there, or a term of it has no known mirror image.
    """
    manager = env.observation_manager
    if group not in manager.active_terms:
        raise ConfigurationError(
            f"there is no observation group {group!r} to mirror.{did_you_mean(group, manager.active_terms)}"
        )
    names, terms = manager.active_terms[group], manager._group_obs_term_cfgs[group]
    mirrors = [_observation(env, f"{group}.{name}", term) for name, term in zip(names, terms, strict=True)]
    lengths = [max(term.history_length, 1) for term in terms]
    if manager._group_obs_time_major[group]:
        found = joined(mirrors).repeated(lengths[0])
    else:
        found = joined([mirror.repeated(length) for mirror, length in zip(mirrors, lengths, strict=True)])
    if (len(found),) != manager.group_obs_dim[group]:
        raise ConfigurationError(
            f"the observation group {group!r} has the shape {manager.group_obs_dim[group]}, and its terms "
            f"{len(found)} columns"
        )
    return found


def mirrored(
    env: Any, obs: TensorDict | None, actions: torch.Tensor | None
) -> tuple[TensorDict | None, torch.Tensor | None]:
    """Observations and actions with their mirror images behind them: rsl_rl's ``data_augmentation_func``.

    Args:
        env: rsl_rl's view of the environment.
        obs: Observation groups, each of shape ``[n, columns]``; None for none.
        actions: Shape ``[n, joints]``; None for none.

    Returns:
        The same of ``2 n`` rows, the given ones first.
    """
    found = _mirrors_of(env.unwrapped)
    if obs is not None:
        images = {name: found.of_group(name)(values) for name, values in obs.items()}
        obs = torch.cat((obs, TensorDict(images, batch_size=obs.batch_size, device=obs.device)), dim=0)
    if actions is not None:
        actions = torch.cat((actions, found.actions(actions)), dim=0)
    return obs, actions


class _Mirrors:
    """The reflections of an environment, each worked out once."""

    def __init__(self, env: Any) -> None:
        self._env = weakref.proxy(env)
        self._groups: dict[str, Mirror] = {}
        self.actions = actions(env).to(env.device)

    def of_group(self, name: str) -> Mirror:
        group = name.removeprefix(NEXT)
        if group not in self._groups:
            self._groups[group] = observations(self._env, group).to(self._env.device)
        return self._groups[group]


_known: weakref.WeakKeyDictionary[Any, _Mirrors] = weakref.WeakKeyDictionary()


def _mirrors_of(env: Any) -> _Mirrors:
    if env not in _known:
        _known[env] = _Mirrors(env)
    return _known[env]


def _joints_of_action(env: Any, term: Any) -> list[str]:
    asset = env.scene[term.cfg.asset_name]
    return list(asset.find_joints(term.cfg.joint_names, preserve_order=term.cfg.preserve_order)[1])


def _joints_observed(env: Any, term: Any) -> Mirror:
    entity = term.params.get("asset_cfg")
    names = env.scene[entity.name if entity else "robot"].joint_names
    chosen = slice(None) if entity is None else entity.joint_ids
    return joints(names[chosen] if isinstance(chosen, slice) else [names[int(number)] for number in chosen])


def _action_observed(env: Any, term: Any) -> Mirror:
    name = term.params.get("action_name")
    return actions(env) if name is None else joints(_joints_of_action(env, env.action_manager.get_term(name)))


def _rays_observed(env: Any, term: Any) -> Mirror:
    pattern = env.scene.sensors[term.params["sensor_cfg"].name].cfg.pattern_cfg
    return rays(pattern.func(pattern, "cpu")[0])


_TERMS: dict[Callable[..., Any], Callable[[Any, Any], Mirror]] = {
    mdp.base_lin_vel: lambda env, term: VECTOR,
    mdp.base_ang_vel: lambda env, term: AXIAL,
    mdp.projected_gravity: lambda env, term: VECTOR,
    mdp.generated_commands: lambda env, term: COMMAND,
    mdp.joint_pos_rel: _joints_observed,
    mdp.joint_vel_rel: _joints_observed,
    mdp.last_action: _action_observed,
    mdp.height_scan: _rays_observed,
}
"""How what a function observes is mirrored."""


def _observation(env: Any, name: str, term: Any) -> Mirror:
    if term.func not in _TERMS:
        known = ", ".join(function.__name__ for function in _TERMS)
        raise ConfigurationError(
            f"the observation {name!r} has no known mirror image: agent.algorithm.symmetry knows those of {known}; "
            "without it, train with agent.algorithm.symmetry none"
        )
    return _TERMS[term.func](env, term)
