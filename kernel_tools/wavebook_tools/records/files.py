"""How records reach the disk: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from wavebook_tools.errors import UsageError, WavebookError

if TYPE_CHECKING:  # the processes around a run write files without it
    from pydantic import BaseModel, ValidationError

FORMAT: Final = 1
"""The number under ``"format"`` in every JSON document that this version writes."""


class IrregularFileError(OSError):
    """A pipe, a device or a folder in the place of a record."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "no regular file", str(path))


def write_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` through a temporary file and a rename, so that a reader never sees half of it.

    Raises:
        WavebookError: The folder cannot be written (permissions, full disk). Nothing is left behind.
    """
    import tempfile  # slow to import, and a run starts without it

    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes the file private to its owner; a record is as readable as any file of the project.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise WavebookError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to be read, without waiting: a run's own code can put a named pipe or a device in its place.

    Raises:
        FileNotFoundError: It is missing.
        IrregularFileError: It is no regular file.
        OSError: It cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IrregularFileError(path)
    return os.fdopen(descriptor, "rb")


def free_bytes(path: Path) -> int:
    """Space on the disk of ``path`` that its user may still take [bytes]; OSError where it cannot be told."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def write_json(path: Path, document: BaseModel | dict[str, Any] | list[Any]) -> None:
    """Write a JSON document with ``write_atomic``."""
    data = document if isinstance(document, dict | list) else document.model_dump(mode="json")
    write_atomic(path, json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_model[Model: BaseModel](path: Path, model: type[Model]) -> Model:
    """Read a JSON document into ``model``.

    Raises:
        WavebookError: The file is missing, is not JSON, or does not fit the model; the message names the field.
    """
    from pydantic import ValidationError

    try:
        with open_regular(path) as stream:
            return model.model_validate_json(stream.read())
    except FileNotFoundError as error:
        raise WavebookError(f"{path} is missing") from error
    except OSError as error:
        raise WavebookError(f"cannot read {path}: {error.strerror or error}") from error
    except ValidationError as error:
        raise WavebookError(f"{path} is damaged: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """One line for a pydantic error: the field, what is wrong with it, and how many more there are."""
    problems = error.errors(include_url=False, include_context=False)
    field = ".".join(str(part) for part in problems[0]["loc"]) or "document"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{field}: {problems[0]['msg']}{more}"


def inside(root: Path, relative: str) -> Path:
    """Resolve ``relative`` below ``root``.

    Raises:
        UsageError: The path is absolute or leaves the root, also through a symbolic link.
    """
    root = root.resolve()
    path = (root / relative).resolve()
    if Path(relative).is_absolute() or not path.is_relative_to(root):
        raise UsageError(f"{relative!r} lies outside the project {root}; give a path relative to the project")
    return path


def _umask() -> int:
    # Python can only read the umask by setting it; /proc has it without that race between threads.
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
