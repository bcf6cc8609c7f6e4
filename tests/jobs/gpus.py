"""GPUs for a machine without: a driver library made from ``nvml/libnvidia-ml.c``, which the real bindings load."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("nvml") / "libnvidia-ml.c"


def driver_folder(folder: Path) -> Path:
    """Compile the driver library into ``folder``, once a session."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler, which simulated GPUs need")
    library = folder / "libnvidia-ml.so.1"
    if not library.exists():
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-Wl,-soname,libnvidia-ml.so.1", "-o", library, SOURCE], check=True
        )
    return folder


class Machine:
    """A machine with simulated GPUs: the environment in which its processes see them."""

    def __init__(self, folder: Path, driver: Path) -> None:
        self.path = folder / "devices.txt"
        self.driver = driver
        self.set([])

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process and those that it starts see the GPUs.

        A library that is loaded already is found by its name, so the real bindings take ours here too. It stays, and
        tells of no GPU once the test is over.
        """
        ctypes.CDLL(str(self.driver / "libnvidia-ml.so.1"), mode=ctypes.RTLD_GLOBAL)
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to see the GPUs."""
        return {**os.environ, "LD_LIBRARY_PATH": str(self.driver), "NVML_DEVICES": str(self.path)}

    def set(self, devices: Sequence[str], processes: Mapping[str, Sequence[int]] | None = None) -> None:
        """Have these devices: ``GPU-…`` a GPU, ``MIG-…`` an instance of the GPU before it, with processes on them."""
        lines = []
        for uuid in devices:
            pids = " ".join(map(str, (processes or {}).get(uuid, ())))
            lines.append(f"{'mig' if uuid.startswith('MIG-') else 'gpu'} {uuid} {len(pids) and 1 << 30} 0 {pids}\n")
        new = self.path.with_suffix(".new")
        new.write_text("".join(lines))
        new.replace(self.path)
