"""Curves as few bytes: what a page carries and unpacks in the browser (``interaction.js``).

Deflate hardly shrinks 32-bit numbers as they are. Bytes of the same weight put side by side («byte shuffle», as in HDF5
and Blosc) shrink well, because the high ones repeat.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wavebook_tools.comparison.curves import Curve

MANTISSA_BITS = 15
"""What is kept of a number's mantissa: a relative error of at most 2^-16, far below a pixel also on a log axis."""


@dataclass(frozen=True)
class Packed:
    """Curves of several metrics and experiments in one block."""

    block: NDArray[np.uint8]
    """Deflated planes: 2 of the steps in x, then 3 each of mean, low and high, each plane over all curves."""
    counts: NDArray[np.uint32]
    """Points of each curve, experiments within metrics."""
    banded: NDArray[np.uint8]
    """For each curve whether low and high were kept."""


def pack(curves: Sequence[Curve], *, banded: bool = True) -> Packed:
    """Pack curves, metric by metric and experiment by experiment in that order, with their bands or without.

    Iterations are kept exactly where two neighbours lie less than 65536 apart, values to 16 significant bits.
    """
    counts = np.array([len(one.x) for one in curves], np.uint32)
    several = [one for one in curves if banded and one.banded]
    steps = [np.diff(one.x, prepend=0) for one in curves]
    planes = [
        *_planes(_joined(steps).astype("<u2").view(np.uint8), 2, range(2)),
        *_float_planes(_joined([one.mean for one in curves])),
        *_float_planes(_joined([one.low for one in several])),
        *_float_planes(_joined([one.high for one in several])),
    ]
    block = np.frombuffer(zlib.compress(b"".join(planes), 6), np.uint8)
    return Packed(block, counts, np.array([banded and one.banded for one in curves], np.uint8))


def _joined(arrays: Iterable[NDArray[np.number]]) -> NDArray[np.number]:
    listed = list(arrays)
    return np.concatenate(listed) if listed else np.empty(0)


def _float_planes(values: NDArray[np.number]) -> list[bytes]:
    numbers = np.ascontiguousarray(values, "<f4")
    bits = numbers.view("<u4").astype(np.uint64)
    rounded = np.where(np.isfinite(numbers), bits + 0x80, bits).astype("<u4")
    return _planes(rounded.view(np.uint8), 4, (1, 2, 3))


def _planes(data: NDArray[np.uint8], width: int, kept: Iterable[int]) -> list[bytes]:
    table = data.reshape(-1, width)
    return [table[:, plane].tobytes() for plane in kept]
