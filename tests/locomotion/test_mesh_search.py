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
        self.global_contact_reducer = None

    monkeypatch.setattr(NarrowPhase, "__init__", make)
    with mesh_search.spread(threads):
        made = NarrowPhase()
    assert (made.tile_size_mesh_convex, made.num_tile_blocks) == expected
    later = NarrowPhase()
    assert (later.tile_size_mesh_convex, later.num_tile_blocks) == (newtons, 528)


def test_newton_still_has_what_is_spread() -> None:
    """On a processor nothing changes, so only this tells that a new Newton took another way."""
    import inspect

    from newton._src.geometry import contact_reduction_global, narrow_phase

    source = inspect.getsource(narrow_phase.NarrowPhase)
    assert "self.tile_size_mesh_convex = 1 if device_obj.is_cpu else (128 if has_heightfields else 256)" in source
    assert "max_blocks_limit = device_obj.sm_count * 4" in source
    assert "block_dim=self.tile_size_mesh_convex" in source
    clearing = contact_reduction_global.GlobalContactReducer.clear_active
    assert mesh_search.NEWTONS_CLEARING in clearing.__code__.co_consts
    assert "num_threads = min(1024, self.hashtable.capacity)" in inspect.getsource(clearing)


@pytest.mark.sim
def test_the_table_of_contacts_is_emptied_as_before() -> None:
    import warp as wp
    from newton._src.geometry.contact_reduction_global import GlobalContactReducer

    def used() -> GlobalContactReducer:
        reducer = GlobalContactReducer(64, device="cpu")
        table = reducer.hashtable
        slots = table.active_slots.numpy()
        slots[:3], slots[table.capacity] = [5, 9, 70], 3
        keys, values = table.keys.numpy(), reducer.ht_values.numpy()
        keys[[5, 9, 70]], values[:] = 42, 7
        for array, held in ((table.active_slots, slots), (table.keys, keys), (reducer.ht_values, values)):
            wp.copy(array, wp.array(held, dtype=array.dtype, device="cpu"))
        return reducer

    def held(reducer: GlobalContactReducer) -> list[object]:
        table = reducer.hashtable
        return [array.numpy().tolist() for array in (table.active_slots, table.keys, reducer.ht_values)]

    theirs, ours, untouched = used(), used(), used()
    theirs.clear_active()
    mesh_search._cleared_by_more(ours)()
    assert held(ours) == held(theirs) != held(untouched)
