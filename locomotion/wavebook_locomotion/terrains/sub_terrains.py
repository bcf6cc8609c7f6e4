"""The sub-terrains of DHAV1's ground, each with levels from easy to hard."""

from __future__ import annotations

from isaaclab.terrains import (
    HfInvertedPyramidSlopedTerrainCfg,
    HfPyramidSlopedTerrainCfg,
    HfRandomUniformTerrainCfg,
    MeshInvertedPyramidStairsTerrainCfg,
    MeshPyramidStairsTerrainCfg,
    MeshRandomGridTerrainCfg,
    SubTerrainBaseCfg,
)

STEP_HEIGHT = (0.025, 0.12)
"""Steps that a robot with legs of 0.4 m can climb, lowest to highest level [m]."""


def dhav1_sub_terrains() -> dict[str, SubTerrainBaseCfg]:
    """Isaac Lab's six rough sub-terrains in the scale of a small quadruped, and level ground.

    Sub-terrains fill the ground's columns in this order, so a new one belongs at the end.
    """
    return {
        "pyramid_stairs": MeshPyramidStairsTerrainCfg(
            step_height_range=STEP_HEIGHT, step_width=0.3, platform_width=3.0, border_width=1.0, holes=False
        ),
        "pyramid_stairs_inv": MeshInvertedPyramidStairsTerrainCfg(
            step_height_range=STEP_HEIGHT, step_width=0.3, platform_width=3.0, border_width=1.0, holes=False
        ),
        "boxes": MeshRandomGridTerrainCfg(grid_width=0.45, grid_height_range=(0.025, 0.1), platform_width=2.0),
        "random_rough": HfRandomUniformTerrainCfg(noise_range=(0.01, 0.06), noise_step=0.01, border_width=0.25),
        "hf_pyramid_slope": HfPyramidSlopedTerrainCfg(slope_range=(0.0, 0.4), platform_width=2.0, border_width=0.25),
        "hf_pyramid_slope_inv": HfInvertedPyramidSlopedTerrainCfg(
            slope_range=(0.0, 0.4), platform_width=2.0, border_width=0.25
        ),
        # A slope of zero at every level: Newton takes no generated plane, its mesh has no volume.
        "plane": HfPyramidSlopedTerrainCfg(slope_range=(0.0, 0.0), platform_width=2.0, border_width=0.25),
    }
