"""The files of a checkpoint: ``model_N.pt``, rsl_rl's, and ``state_N.pt``, the rest of a training after iteration N.

A training over several devices leaves a state for each rank: ``state_N.pt`` for the first, ``state_N.rankR.pt`` for the
others. All are written under another name first, and ``state_N.pt`` last: where it stands beside its model the
checkpoint is whole. Nothing here imports torch.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from wavebook_locomotion.errors import ConfigurationError

KEPT = 3
"""Checkpoints that a training keeps, the newest; the last is among them."""


def iteration_of(model: Path) -> int:
    """The iteration after which ``model`` was saved.

    Raises:
        ConfigurationError: It is not named ``model_N.pt``.
    """
    match = re.fullmatch(r"model_(\d+)\.pt", model.name)
    if match is None:
        raise ConfigurationError(f"{model} is not a checkpoint of a training; those are named model_<iteration>.pt")
    return int(match[1])


def state_path(model: Path, rank: int = 0) -> Path:
    """Where the rest of the training lies beside ``model``."""
    return model.with_name(f"state_{iteration_of(model)}{f'.rank{rank}' if rank else ''}.pt")


def whole_checkpoints(folder: Path) -> list[Path]:
    """The models in ``folder`` that have their state beside them, oldest first."""
    found = [path for path in folder.glob("model_*.pt") if re.fullmatch(r"model_\d+\.pt", path.name)]
    return sorted((path for path in found if state_path(path).is_file()), key=iteration_of)


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest model in ``folder`` from which a training can go on; None where there is none."""
    return next(reversed(whole_checkpoints(folder)), None)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` make a file that appears as ``path`` only once it is complete and on the disk."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        write(unfinished)
        with open(unfinished, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def carry_over(model: Path, folder: Path) -> Path:
    """Put a whole checkpoint into another training's folder, so that this one can be gone on from before it saves.

    Where the file system allows it the files are shared, not copied.

    Raises:
        ConfigurationError: The model or its state is missing.
    """
    state = state_path(model)
    for path in (model, state):
        if not path.is_file():
            raise ConfigurationError(f"there is no checkpoint {model}" + (f": {path} is missing" * (path is not model)))
    if model.resolve().parent == folder.resolve():
        return model
    ranks = sorted(model.parent.glob(f"state_{iteration_of(model)}.rank*.pt"))
    for source in (model, *ranks, state):
        write_whole(folder / source.name, lambda target, source=source: _link(source, target))  # type: ignore[misc]
    return folder / model.name


def drop_old(newest: Path, keep: int = KEPT) -> None:
    """Remove whole checkpoints that are older than ``newest``, except the last ``keep - 1`` of them.

    What has a higher number was left by another training in the same folder and is not touched. The state goes first,
    so that no half is taken for a whole.
    """
    older = [model for model in whole_checkpoints(newest.parent) if iteration_of(model) < iteration_of(newest)]
    for model in older[: max(0, len(older) - (keep - 1))]:
        states = [state_path(model), *model.parent.glob(f"state_{iteration_of(model)}.rank*.pt")]
        for path in (*states, model):
            path.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
