"""Means over the newest iterations: single iterations of reinforcement learning are noise."""

from __future__ import annotations

from collections import deque


class Window:
    """The newest ``size`` values."""

    def __init__(self, size: int) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        """Take in one value; the oldest leaves a full window."""
        self._values.append(value)

    @property
    def full(self) -> bool:
        return len(self._values) == self._values.maxlen

    @property
    def mean(self) -> float:
        return sum(self._values) / len(self._values)

    @property
    def lowest(self) -> float:
        return min(self._values)

    @property
    def highest(self) -> float:
        return max(self._values)

    @property
    def trend(self) -> float:
        """How much the mean of the newer half is above that of the older one, as a share of its size."""
        values = list(self._values)
        half = len(values) // 2
        older, newer = sum(values[:half]) / max(half, 1), sum(values[half:]) / max(len(values) - half, 1)
        return (newer - older) / abs(older) if older else 0.0
