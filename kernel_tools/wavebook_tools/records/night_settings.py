"""[night] in wavebook.toml: what a night may take where its grant names nothing else."""

from __future__ import annotations

from pydantic import Field

from wavebook_tools.records.plan import Document


class NightSettings(Document):
    """The limits of a night."""

    waves: int = Field(default=3, ge=1, le=100, description="Waves, one after the other")
    runs: int = Field(default=6, ge=1, le=1000, description="Runs of each wave")
    gpu_hours: float = Field(
        default=8.0, gt=0, le=10_000, description="Over all runs; hours on the device where there is no GPU [h]"
    )
    hours: float = Field(default=10.0, gt=0, le=1000, description="Time from the grant on, pauses counted in [h]")
    patience: int = Field(default=3, ge=1, le=100, description="Waves without an improvement after which it is stuck")
    end_hopeless: bool = Field(default=True, description="Whether runs that look hopeless by the median rule are ended")
