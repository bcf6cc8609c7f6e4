"""Trains over several devices of one machine: a process (rank) for each, started by torchrun from the kernel.

Each rank has its share of the environments, steps them on its own device and learns from the gradients' mean (data
parallel; ``torch.distributed`` with NCCL, on processors with Gloo). The first rank reports to the kernel.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from wavebook_locomotion.configuration import TaskConfig, load
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.rewards.code import of_cells

SEED_STRIDE = 1_000_003
"""Between the seeds of two ranks, so that no rank's environments are those of another run's neighbouring seed."""

GRACE = 15.0
"""How long ranks get to end after they were asked to [s]."""

_POLL = 0.1


class RankError(RuntimeError):
    """A rank of a training over several devices died; the message holds its traceback."""


@dataclasses.dataclass(frozen=True)
class RankedTraining:
    """What the ranks are told, as JSON."""

    task: str
    overrides: dict[str, Any]
    num_envs: int
    """Of all ranks together."""
    seed: int
    device: str
    physics: str
    iterations: int
    log_dir: str
    checkpoint: str | None
    messages: str
    """Where the first rank reports, a line of JSON each."""
    code: list[str]
    """Cells of the run's notebook that define its own reward terms."""
    kernel: int
    """The process that the ranks belong to; they end with it."""


def share_of(num_envs: int, ranks: int) -> int:
    """The environments of one rank, where ``num_envs`` is the number of all together.

    Raises:
        ConfigurationError: They cannot be shared out evenly.
    """
    if num_envs % ranks or num_envs < ranks:
        below = max(num_envs // ranks, 1) * ranks
        raise ConfigurationError(
            f"{num_envs} environments cannot be shared out evenly over {ranks} devices; "
            f"choose {below} or {below + ranks}"
        )
    return num_envs // ranks


def train_ranks(
    config: TaskConfig,
    ranks: int,
    *,
    iterations: int,
    log_dir: Path,
    on_iteration: Callable[[int, dict[str, float]], None],
    on_phase: Callable[[str], None],
    checkpoint: Path | None,
) -> dict[str, Any]:
    """Train with ``ranks`` processes and return what the first reports at the end: its checkpoint and its time.

    An exception here, KeyboardInterrupt among them, ends the ranks.

    Raises:
        ConfigurationError: The environments cannot be shared out evenly.
        RankError: A rank died; with its traceback.
    """
    share_of(config.num_envs, ranks)
    with tempfile.TemporaryDirectory(prefix="wavebook-ranks-") as name:
        folder = Path(name)
        messages = folder / "messages.jsonl"
        messages.touch()
        told = RankedTraining(
            config.task,
            config.overrides,
            config.num_envs,
            config.seed,
            config.device,
            config.physics,
            iterations,
            str(log_dir.resolve()),
            str(checkpoint.resolve()) if checkpoint else None,
            str(messages),
            [term.cell for term in config.code],
            os.getpid(),
        )
        (folder / "training.json").write_text(json.dumps(dataclasses.asdict(told)))
        outcome: dict[str, Any] | None = None
        with _launched(ranks, folder / "training.json") as (process, printed), open(messages) as stream:
            while True:
                ended = process.poll() is not None  # asked before reading: what was written before is read after
                for message in _lines(stream):
                    if "phase" in message:
                        on_phase(message["phase"])
                    elif "iteration" in message:
                        on_iteration(message["iteration"], message["values"])
                    else:
                        outcome = message["outcome"]
                if ended:
                    break
                time.sleep(_POLL)
        if process.returncode != 0 or outcome is None:
            raise RankError(_why(folder, process.returncode, printed))
        return outcome


@contextlib.contextmanager
def _launched(ranks: int, told: Path) -> Iterator[tuple[subprocess.Popen[str], deque[str]]]:
    """torchrun with its ranks, and the last lines that they print; they print into the notebook."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    process = subprocess.Popen(
        [*command, "--max-restarts=0", "-m", "wavebook_locomotion.distributed", str(told)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    printed: deque[str] = deque(maxlen=60)

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            print(line, end="", flush=True)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield process, printed
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)  # torchrun ends its ranks
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()  # its ranks see that the kernel let go of them
                process.wait()
        reader.join(GRACE)


def _lines(stream: IO[str]) -> Iterator[dict[str, Any]]:
    while True:
        position = stream.tell()
        line = stream.readline()
        if not line.endswith("\n"):
            stream.seek(position)
            return
        yield json.loads(line)


def _why(folder: Path, code: int, printed: deque[str]) -> str:
    # The others fail as the first leaves them: the oldest traceback is the reason.
    found = sorted(folder.glob("rank*.traceback"), key=lambda path: path.stat().st_mtime_ns)
    if found:
        return f"rank {found[0].stem.removeprefix('rank')} of the training failed:\n{found[0].read_text()}"
    return f"the training's processes ended with status {code} and left no traceback; last lines:\n{''.join(printed)}"


def _end_with(kernel: int) -> None:
    """End this process when the kernel, or torchrun that started it, is gone."""
    poller = select.poll()
    for pid in (kernel, os.getppid()):
        poller.register(os.pidfd_open(pid), select.POLLIN)
    poller.poll()
    os._exit(1)


def _own_device(device: str, rank: int) -> str:
    """Leave this process its own device alone; it must not have touched CUDA yet."""
    if device == "cpu":
        return device
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[rank] if visible else str(rank)
    return "cuda:0"


def main(told: Path) -> None:
    """One rank."""
    training = RankedTraining(**json.loads(told.read_text()))
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    threading.Thread(target=_end_with, args=(training.kernel,), daemon=True).start()
    try:
        device = _own_device(training.device, rank)
        import torch

        from wavebook_locomotion.training import train

        torch.set_num_threads(1)
        config = load(
            training.task,
            training.overrides,
            num_envs=share_of(training.num_envs, ranks),
            seed=training.seed + SEED_STRIDE * rank,
            device=device,
            physics=training.physics,
            code=of_cells(training.code),
        )
        with open(training.messages, "a", buffering=1) as stream:

            def tell(**message: Any) -> None:
                if rank == 0:
                    stream.write(json.dumps(message) + "\n")

            outcome = train(
                config,
                iterations=training.iterations,
                log_dir=Path(training.log_dir),
                on_iteration=lambda number, values: tell(iteration=number, values=values),
                on_phase=lambda phase: tell(phase=phase),
                checkpoint=Path(training.checkpoint) if training.checkpoint else None,
            )
            tell(outcome={"checkpoint": str(outcome.checkpoint), "train_seconds": outcome.train_seconds})
        torch.distributed.destroy_process_group()
    except BaseException:
        told.with_name(f"rank{rank}.traceback").write_text(traceback.format_exc())
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
