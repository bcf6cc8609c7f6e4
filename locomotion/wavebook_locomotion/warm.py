"""Compiles the simulator's kernels once for all runs that start on a fresh machine.

Warp keeps compiled kernels in a folder, by default in the user's cache and elsewhere with ``WARP_CACHE_PATH``. A
module's name there is a hash of its kernels' source, of the constants in them and of the compile options, and its file
name has the device's architecture (``sm90``): the same packages on a GPU of the same kind find them, whatever the
machine. Processes that start at once on an empty folder would each compile all of it: Warp builds in a folder for each
process and renames, which is safe, but does not wait for another's. Here one compiles and the others wait.

To carry the kernels to another machine with the same versions and kind of GPU, compile, copy the folder, and name it::

    python -m wavebook_locomotion.warm TASK --device cuda:0 --cache kernels
    rsync -a kernels other:kernels
    WARP_CACHE_PATH=kernels wavebook …
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from wavebook_locomotion.configuration import TaskConfig, load

LONGEST_WAIT = 600.0
"""How long a process waits for another's compiling before it compiles too [s]."""


@contextlib.contextmanager
def compiled_once(cache: Path, name: str, longest_wait: float = LONGEST_WAIT) -> Iterator[bool]:
    """Hold the others off while the first process compiles in the block; once it is through, nobody waits any more.

    Yields:
        Whether this process is the one that compiles. A process that fails in the block leaves it to the next.
    """
    cache.mkdir(parents=True, exist_ok=True)
    done = cache / f"wavebook-{name}.compiled"
    with open(cache / f"wavebook-{name}.lock", "a") as lock:
        deadline = time.monotonic() + longest_wait
        held = False
        while not done.exists() and not held and time.monotonic() < deadline:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = True
            except BlockingIOError:
                time.sleep(0.2)
        first = held and not done.exists()
        if not first:
            fcntl.flock(lock, fcntl.LOCK_UN)
        yield first
        if first:
            done.touch()


def cache_and_name(config: TaskConfig) -> tuple[Path, str]:
    """Warp's folder, and a name for what ``config`` compiles there: its task, physics, overrides, versions, device."""
    import warp

    warp.init()
    # Overrides of the learner compile nothing; which of the environment's do is the simulator's affair.
    own = sorted((key, repr(value)) for key, value in config.overrides.items() if key.startswith("env."))
    versions = [version(package) for package in ("warp-lang", "newton", "isaaclab")]
    arch = warp.get_device(config.device).arch
    text = repr((config.task, config.physics, own, versions, "without derivatives"))
    return Path(str(warp.config.kernel_cache_dir)), f"{arch or 'cpu'}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Compile a task's kernels into Warp's cache.")
    parser.add_argument("task")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--num-envs", type=int, default=16)
    parser.add_argument("--cache", type=Path, help="Folder of the kernels; Warp's own where it is not given")
    asked = parser.parse_args()
    if asked.cache is not None:
        os.environ["WARP_CACHE_PATH"] = str(asked.cache.resolve())
    config = load(asked.task, num_envs=asked.num_envs, seed=0, device=asked.device)
    started = time.perf_counter()

    import torch

    from wavebook_locomotion.simulation import open_environment

    with contextlib.ExitStack() as stack:
        cache, name = cache_and_name(config)
        with compiled_once(cache, name) as first:
            env = stack.enter_context(open_environment(config))
            env.step(torch.zeros(env.action_space.shape, device=env.device))
    seconds = time.perf_counter() - started
    print(f"{'compiled' if first else 'found compiled'} after {seconds:.0f} s: {cache}")


if __name__ == "__main__":
    main()
