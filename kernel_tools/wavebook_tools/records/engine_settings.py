"""[engine] in wavebook.toml: what executes the runs, this machine or a cluster's scheduler."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from wavebook_tools.records.plan import Document

OWN_OPTIONS = {
    "array", "batch", "chdir", "clusters", "cluster", "error", "export", "export-file", "gpus", "gpus-per-node",
    "gpus-per-task", "gres", "help", "hold", "input", "job-name", "no-requeue", "nodes", "ntasks", "open-mode",
    "output", "parsable", "quiet", "requeue", "signal", "test-only", "usage", "version", "wait", "wrap",
}  # fmt: skip
"""sbatch options that the engine sets itself, or with which it would no longer know its runs."""

DEFINED_OPTIONS = {"account", "partition", "qos", "time"}
"""sbatch options that have a setting of their own."""

OPTION = re.compile(r"--([a-z][a-z0-9-]*)(=[^\x00-\x1f\x7f]*)?")

TIME = r"^(\d+(:\d{1,2}){0,2}|\d+-\d{1,2}(:\d{1,2}){0,2})$"

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,@+-]*$", max_length=200)]


def _foreign_to_the_engine(option: str) -> str:
    match = OPTION.fullmatch(option)
    if match is None:
        raise ValueError(f"{option!r} is no option in its long form, such as '--mem=16G' or '--exclusive'")
    name = match[1]
    # sbatch takes unambiguous abbreviations too, so '--out' would be '--output'.
    taken = sorted(known for known in OWN_OPTIONS | DEFINED_OPTIONS if known.startswith(name))
    if taken:
        own = ", ".join(f"--{known}" for known in taken)
        where = "has a setting of its own" if taken[0] in DEFINED_OPTIONS else "is set by the engine"
        raise ValueError(f"{option!r}: {own} {where}")
    return option


class SlurmSettings(Document):
    """How runs are submitted to Slurm; what is absent is left to the cluster's defaults."""

    partition: Name | None = Field(default=None, description="Partitions that may execute a run, comma-separated")
    account: Name | None = Field(default=None, description="Account that the time is charged to")
    qos: Name | None = Field(default=None, description="Quality of service")
    time: str | None = Field(
        default=None, pattern=TIME, description="Time limit of runs without one of their own, as sbatch --time"
    )
    cpus: int = Field(default=4, ge=1, description="CPU cores of a run")
    gres: Name = Field(default="gpu", description="Name of the generic resource that GPUs are")
    devices: dict[Name, Name] = Field(
        default_factory=dict,
        description="Device names that runs may ask for, to the gres type that only this GPU has",
    )
    options: list[Annotated[str, AfterValidator(_foreign_to_the_engine)]] = Field(
        default=[], description="Further sbatch options, as '--mem=16G'"
    )


class RaySettings(Document):
    """How runs are submitted to a Ray cluster, through the Jobs interface of its dashboard."""

    address: str = Field(
        default="http://127.0.0.1:8265", pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$", description="The dashboard"
    )
    token_variable: str | None = Field(
        default="RAY_AUTH_TOKEN",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the cluster's token; the token itself is never stored",
    )
    cpus: float = Field(default=1, ge=0, description="CPU cores of a run")
    resources: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="Custom resources that every run needs"
    )


class EngineSettings(Document):
    """What executes runs."""

    name: Literal["local", "slurm", "ray"] = "local"
    slurm: SlurmSettings = Field(default_factory=SlurmSettings)
    ray: RaySettings = Field(default_factory=RaySettings)

    @property
    def device_names(self) -> tuple[str, ...]:
        """Names that the site gave to devices, beside those that every machine knows."""
        return tuple(self.slurm.devices) if self.name == "slurm" else ()
