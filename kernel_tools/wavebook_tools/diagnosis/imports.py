"""The minimal import script: ``python -m wavebook_tools.diagnosis.imports`` names the first library that does not load.

Each is imported in a process of its own, so that one which crashes the interpreter is a result as well.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

LIBRARIES = ("numpy", "torch", "warp", "pxr", "newton", "rsl_rl", "isaaclab", "isaaclab_tasks", "wavebook_locomotion")
"""What a run imports, each after what it needs itself."""

LIMIT = 120.0
"""Time for one [s]."""

LINES = 3


def probe(libraries: Sequence[str] = LIBRARIES) -> list[tuple[str, str]]:
    """Each library with an empty text where it loads, or the end of its error; the first that fails is the last."""
    found: list[tuple[str, str]] = []
    for name in libraries:
        try:
            done = subprocess.run(
                [sys.executable, "-c", f"import {name}"], capture_output=True, text=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            found.append((name, f"took longer than {LIMIT:g} s"))
            break
        if done.returncode:
            said = "\n".join(done.stderr.strip().splitlines()[-LINES:])
            found.append((name, said or f"ended with status {done.returncode}"))
            break
        found.append((name, ""))
    return found


def main(arguments: Sequence[str]) -> int:
    """Print a line for each library; 0 where all load, else 1."""
    found = probe(arguments or LIBRARIES)
    for name, error in found:
        print(f"{name}: {error or 'loads'}")
    return 1 if found[-1][1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
