"""Which robots' simulations broke, from what the guard wrote down: checkpoints/broken/*.npz."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOT_FINITE = "not finite"
REASONS = (NOT_FINITE, "joint speed", "base speed", "below ground")
"""What can be wrong with a robot, by its column in ``reasons``."""

MOST_RECORDS = 40
LARGEST_RECORD = 1_000_000
"""Records that are read, and how large one may be [bytes]; the guard writes 20 of a few kilobytes."""

NAMED = 8
"""Environments that the line for people names; the evidence has all."""

SHARE = 0.6
FEWEST = 3
"""A terrain is named where it holds this share of at least so many broken robots."""


@dataclass(frozen=True)
class Broken:
    """Broken robots, counted by what they have in common."""

    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    columns: Counter[int] = field(default_factory=Counter)
    """By column of the terrain; each sub-terrain takes some columns beside each other."""
    levels: Counter[int] = field(default_factory=Counter)
    terrains: Counter[str] = field(default_factory=Counter)
    """By the sub-terrain's name, where the record names it."""
    environments: tuple[int, ...] = ()
    first_step: int | None = None

    @property
    def terrain(self) -> str | None:
        """The sub-terrain that most of them stood on."""
        name, count = (self.terrains.most_common(1) or [("", 0)])[0]
        return name if count >= max(FEWEST, SHARE * self.count) else None

    def describe(self) -> str:
        """One line for people."""
        parts = [f"{self.count} written down", *(f"{reason} {count}" for reason, count in self.reasons.most_common())]
        if self.terrains:
            parts.append("on " + ", ".join(f"{name} {count}" for name, count in self.terrains.most_common(4)))
        elif self.columns:
            parts.append("terrain columns " + ", ".join(str(column) for column in sorted(self.columns)))
        if self.levels:
            parts.append("levels " + ", ".join(str(level) for level in sorted(self.levels)))
        if self.environments:
            more = len(self.environments) - NAMED
            named = ", ".join(map(str, self.environments[:NAMED])) + (f" and {more} more" if more > 0 else "")
            parts.append(f"environments {named}")
        return "; ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """For a finding's evidence; empty where no robot broke."""
        if not self.count:
            return {}
        return {
            "broken": self.count,
            "reasons": dict(self.reasons),
            "terrain_columns": {str(key): count for key, count in sorted(self.columns.items())},
            "terrain_levels": {str(key): count for key, count in sorted(self.levels.items())},
            "terrains": dict(self.terrains),
            "environments": list(self.environments),
            "first_step": self.first_step,
        }


def read_broken(folder: Path) -> Broken:
    """The broken robots of the run in ``folder``; a record that cannot be read is passed over."""
    try:
        paths = sorted((folder / "checkpoints" / "broken").glob("*.npz"))[:MOST_RECORDS]
        paths = [path for path in paths if path.is_file() and path.stat().st_size <= LARGEST_RECORD]
    except OSError:
        return Broken()
    records = [record for path in paths if (record := _read(path)) is not None]
    steps = [record["step"] for record in records if "step" in record]
    return Broken(
        count=len(records),
        reasons=Counter(reason for record in records for reason in record["reasons"]),
        columns=Counter(record["terrain_column"] for record in records if "terrain_column" in record),
        levels=Counter(record["terrain_level"] for record in records if "terrain_level" in record),
        terrains=Counter(record["terrain"] for record in records if "terrain" in record),
        environments=tuple(sorted({record["environment"] for record in records if "environment" in record})),
        first_step=min(steps, default=None),
    )


def _read(path: Path) -> dict[str, Any] | None:
    import zipfile

    import numpy as np  # heavy, and most runs never need it

    try:
        with np.load(path, allow_pickle=False) as arrays:
            if sum(info.file_size for info in arrays.zip.infolist()) > LARGEST_RECORD:
                return None
            record: dict[str, Any] = {
                name: int(arrays[name].reshape(-1)[0])
                for name in ("terrain_column", "terrain_level", "environment", "step")
                if name in arrays.files
            }
            if "terrain" in arrays.files:
                record["terrain"] = str(arrays["terrain"].reshape(-1)[0])[:80]
            flags = arrays["reasons"].reshape(-1) if "reasons" in arrays.files else ()
            record["reasons"] = [reason for reason, flag in zip(REASONS, flags, strict=False) if flag]
            return record
    except (OSError, ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError, zipfile.BadZipFile):
        return None
