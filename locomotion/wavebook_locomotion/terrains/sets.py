"""Sets of sub-terrains by name: which share of the ground each sub-terrain takes."""

from __future__ import annotations

from typing import Any

from wavebook_locomotion.errors import ConfigurationError, check_choice

SETS: dict[str, dict[str, float]] = {
    "flat": {"plane": 1.0},
    # As DeepRobotics trains Lite3, and what the paper was left with once boxes and stairs were out.
    "gentle": {"random_rough": 0.4, "hf_pyramid_slope": 0.3, "hf_pyramid_slope_inv": 0.3},
    # Isaac Lab's rough mix.
    "full": {
        "pyramid_stairs": 0.2,
        "pyramid_stairs_inv": 0.2,
        "boxes": 0.2,
        "random_rough": 0.2,
        "hf_pyramid_slope": 0.1,
        "hf_pyramid_slope_inv": 0.1,
    },
}
"""Shares by sub-terrain; they need not add up to one."""


def choose(sub_terrains: dict[str, Any], name: str) -> None:
    """Give each of the generator's ``sub_terrains`` its share in the set ``name``, zero to those outside it.

    Raises:
        ConfigurationError: There is no such set; the message names the nearest.
    """
    check_choice("terrain set", name, SETS)
    for sub_terrain, config in sub_terrains.items():
        config.proportion = SETS[name].get(sub_terrain, 0.0)


def drop_unused(sub_terrains: dict[str, Any]) -> None:
    """Remove sub-terrains without a share.

    A ground without meshes becomes a height field in the physics, which is looked up instead of searched; a mesh that
    is never built would stand in the way of that.

    Raises:
        ConfigurationError: None has a share.
    """
    for name in [name for name, config in sub_terrains.items() if config.proportion <= 0.0]:
        del sub_terrains[name]
    if not sub_terrains:
        raise ConfigurationError("no sub-terrain has a proportion above 0; choose an env.terrain_set or raise one")
