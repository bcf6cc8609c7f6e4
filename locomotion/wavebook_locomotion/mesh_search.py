"""Spreads the search for contacts with the ground over a GPU; Newton 1.6.1 has no setting for it.

Newton launches four blocks a multiprocessor, of 256 threads that search one collision shape's surroundings in a mesh
together, or of 128 of which one looks a shape up in a height field. A foot touches one or two triangles, so nearly all
of them wait while 57 344 shapes of 4096 robots queue for 528 blocks: half of the GPU's time on rough ground
(docs/robot.md). A warp a shape, in as many blocks as a multiprocessor holds, finds the same triangles.

The table in which it then keeps the contacts it found is emptied by 1024 threads, an eighth of what one multiprocessor
of 132 holds: 0.17 ms each time on an H100, 0.37 ms on a height field, four times a step.
"""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

WARP = 32
"""Threads that CUDA runs together: fewer are not faster."""

RESIDENT_BLOCKS = 32
"""Blocks that a multiprocessor holds at once, by the CUDA programming guide for compute capability 8.0 and 9.0."""

NEWTONS_BLOCKS = 4
"""Blocks a multiprocessor that Newton 1.6.1 launches."""

NEWTONS_CLEARING, CLEARING = 1024, 65536
"""Threads that empty the table of contacts, in Newton 1.6.1 and here."""


@contextlib.contextmanager
def spread(threads: int | None = WARP) -> Iterator[None]:
    """Let every collision pipeline that is made in the block search with ``threads`` a shape; none for Newton's way."""
    from newton._src.geometry.narrow_phase import NarrowPhase

    make = NarrowPhase.__init__

    @functools.wraps(make)
    def spread_out(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        if threads is not None and self.tile_size_mesh_convex > threads:  # on a CPU it is one thread
            self.tile_size_mesh_convex = threads
            self.num_tile_blocks *= RESIDENT_BLOCKS // NEWTONS_BLOCKS
            if self.global_contact_reducer is not None:
                self.global_contact_reducer.clear_active = _cleared_by_more(self.global_contact_reducer)

    NarrowPhase.__init__ = spread_out
    try:
        yield
    finally:
        NarrowPhase.__init__ = make


def _cleared_by_more(reducer: Any) -> Callable[[], None]:
    """Newton's method of ``reducer`` that empties its table, with more threads.

    Their number is a constant in its code; the rest of it names twenty arrays in Newton's own order.
    """
    method = type(reducer).clear_active
    constants = tuple(CLEARING if value == NEWTONS_CLEARING else value for value in method.__code__.co_consts)
    code = method.__code__.replace(co_consts=constants)
    return types.MethodType(types.FunctionType(code, method.__globals__), reducer)
