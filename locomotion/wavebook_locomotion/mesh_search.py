"""Spreads the search for the ground's triangles below each robot over a GPU; Newton 1.6.1 has no setting for it.

Newton launches four blocks a multiprocessor, of 256 threads that search one collision shape's surroundings in a mesh
together, or of 128 of which one looks a shape up in a height field. A foot touches one or two triangles, so nearly all
of them wait while 57 344 shapes of 4096 robots queue for 528 blocks: half of the GPU's time on rough ground
(docs/robot.md). A warp a shape, in as many blocks as a multiprocessor holds, finds the same triangles.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

WARP = 32
"""Threads that CUDA runs together: fewer are not faster."""

RESIDENT_BLOCKS = 32
"""Blocks that a multiprocessor holds at once, by the CUDA programming guide for compute capability 8.0 and 9.0."""

NEWTONS_BLOCKS = 4
"""Blocks a multiprocessor that Newton 1.6.1 launches."""


@contextlib.contextmanager
def spread(threads: int | None = WARP) -> Iterator[None]:
    """Let every collision pipeline that is made in the block search with ``threads`` a shape, or as Newton does."""
    from newton._src.geometry.narrow_phase import NarrowPhase

    make = NarrowPhase.__init__

    @functools.wraps(make)
    def spread_out(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        if threads is not None and self.tile_size_mesh_convex > threads:  # on a CPU it is one thread
            self.tile_size_mesh_convex = threads
            self.num_tile_blocks *= RESIDENT_BLOCKS // NEWTONS_BLOCKS

    NarrowPhase.__init__ = spread_out
    try:
        yield
    finally:
        NarrowPhase.__init__ = make
