"""The search for the ground's triangles, spread over the blocks of a GPU."""

from __future__ import annotations

import pytest

from wavebook_locomotion import mesh_search

WIDE, HEIGHT_FIELD, CPU = 256, 128, 1


@pytest.mark.parametrize(
    ("newtons", "threads", "expected"),
    [
        (WIDE, 32, (32, 528 * 8)),
        (HEIGHT_FIELD, 32, (32, 528 * 8)),
        (WIDE, None, (WIDE, 528)),
        (CPU, 32, (CPU, 528)),
    ],
)
def test_a_shape_is_searched_by_fewer_threads_in_more_blocks(
    monkeypatch: pytest.MonkeyPatch, newtons: int, threads: int | None, expected: tuple[int, int]
) -> None:
    from newton._src.geometry.narrow_phase import NarrowPhase

    def make(self: NarrowPhase) -> None:
        self.tile_size_mesh_convex, self.num_tile_blocks = newtons, 528

    monkeypatch.setattr(NarrowPhase, "__init__", make)
    with mesh_search.spread(threads):
        made = NarrowPhase()
    assert (made.tile_size_mesh_convex, made.num_tile_blocks) == expected
    later = NarrowPhase()
    assert (later.tile_size_mesh_convex, later.num_tile_blocks) == (newtons, 528)


def test_newton_still_has_what_is_spread() -> None:
    """On a processor nothing changes, so only this tells that a new Newton took another way."""
    import inspect

    from newton._src.geometry import narrow_phase

    source = inspect.getsource(narrow_phase.NarrowPhase)
    assert "self.tile_size_mesh_convex = 1 if device_obj.is_cpu else (128 if has_heightfields else 256)" in source
    assert "max_blocks_limit = device_obj.sm_count * 4" in source
    assert "block_dim=self.tile_size_mesh_convex" in source
