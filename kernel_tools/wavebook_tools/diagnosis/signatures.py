"""The failure signatures that the watchdog looks for."""

from __future__ import annotations

from wavebook_tools.diagnosis.constraint_overflow import ConstraintOverflow
from wavebook_tools.diagnosis.crash_at_start import CrashAtStart
from wavebook_tools.diagnosis.dead_policy import DeadPolicy
from wavebook_tools.diagnosis.kernel_died import KernelDied
from wavebook_tools.diagnosis.not_a_number import NotANumber
from wavebook_tools.diagnosis.out_of_memory import OutOfMemory
from wavebook_tools.diagnosis.reward_inflation import RewardInflation
from wavebook_tools.diagnosis.signature import Signature
from wavebook_tools.diagnosis.terrain_collapse import TerrainCollapse

SIGNATURES: tuple[type[Signature], ...] = (
    OutOfMemory,
    NotANumber,
    ConstraintOverflow,
    KernelDied,
    CrashAtStart,
    DeadPolicy,
    TerrainCollapse,
    RewardInflation,
)
"""In the order in which they are asked why a run failed: the first that knows counts, so the most specific stands
first. Hangs are apart (``hang.Hang``), as time alone tells them."""
