"""The ground below a robot's way, as a grid of heights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wavebook_locomotion.replay.quantise import LENGTH, int16_text

SPACING = 0.05
"""Distance of two heights [m]; the generated grounds are made on a grid of 0.1 m."""
MARGIN = 1.2
"""Ground shown around the way [m]."""
MOST = 120_000
"""Heights a robot's ground has at most; over a longer way they are set wider apart."""


class Ground:
    """The generated ground of an open environment, to be looked up from above."""

    def __init__(self, env: Any) -> None:
        from isaaclab.utils.warp.ops import convert_to_warp_mesh

        self._mesh = convert_to_warp_mesh(*_triangles(env.scene.terrain.terrain_prim_paths[0]), device="cpu")

    def around(self, way: np.ndarray) -> dict[str, Any]:
        """The patch of ground around a way.

        Args:
            way: Positions in the world's frame [m], shape ``[N, 3]``; the patch is given from the first of them.

        Returns:
            ``corner`` (x and y of the first height [m]), ``spacing`` [m], ``rows`` (along y), ``columns`` (along x) and
            ``heights`` row by row, see `wavebook_locomotion.replay.quantise`.
        """
        import torch
        from isaaclab.utils.warp.ops import raycast_mesh

        low, high = way[:, :2].min(axis=0) - MARGIN, way[:, :2].max(axis=0) + MARGIN
        spacing = max(SPACING, math.sqrt(float(np.prod(high - low)) / MOST))
        columns, rows = (math.ceil(length / spacing) + 1 for length in high - low)
        x, y = np.meshgrid(low[0] + spacing * np.arange(columns), low[1] + spacing * np.arange(rows))
        # From well above all that a robot can climb.
        starts = np.stack((x.ravel(), y.ravel(), np.full(x.size, 100.0)), axis=1).astype(np.float32)
        down = torch.tensor([0.0, 0.0, -1.0]).repeat(x.size, 1)
        hits = raycast_mesh(torch.from_numpy(starts), down, self._mesh)[0].numpy()[:, 2]
        # Beyond the ground's edge nothing is hit.
        heights = np.where(np.isfinite(hits), hits, hits[np.isfinite(hits)].min(initial=0.0))
        origin = way[0]
        return {
            "corner": [float(low[0] - origin[0]), float(low[1] - origin[1])],
            "spacing": float(spacing),
            "rows": rows,
            "columns": columns,
            "heights": int16_text(heights - origin[2], LENGTH),
        }


def _triangles(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Points [m] and triangles (indices of points) of the mesh below a prim of the open stage."""
    from isaaclab.sim.utils.stage import get_current_stage
    from pxr import Usd, UsdGeom

    stage = get_current_stage()
    prim = next(prim for prim in Usd.PrimRange(stage.GetPrimAtPath(path)) if prim.IsA(UsdGeom.Mesh))
    mesh = UsdGeom.Mesh(prim)
    points = np.asarray(mesh.GetPointsAttr().Get(), dtype=np.float32)
    corners = np.asarray(mesh.GetFaceVertexIndicesAttr().Get(), dtype=np.int32)
    return points, corners.reshape(-1, 3)
