"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from wavebook_tools.jobs.devices import list_devices


def describe() -> dict[str, Any]:
    """Processor, threads, devices and Python of this machine, to stand beside every figure."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "threads": os.cpu_count(),
        "devices": [device.name for device in list_devices()],
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
