"""The preflight of code overrides: two environments, a few steps, on the CPU, before a run may take a device.

One experiment is tried at a time, in a process and a kernel of its own that see neither a GPU nor a secret. What came
of it stands beside the experiment's runs: ``preflight.json`` for programs, ``preflight.ipynb`` for people.

    python -m wavebook_tools.jobs.preflight RUN_FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wavebook_tools.jobs.environment import of_run
from wavebook_tools.jobs.processes import signal_on_parent_death, start_child
from wavebook_tools.records.files import write_atomic, write_json
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.states import RunId

TEMPLATE = "preflight"
LONGEST = 1800
"""Time that a preflight may take [s]: nearly all of it is the simulator's first compilation on few CPU cores."""

MESSAGE = 1500
"""Characters of an error that are kept."""

WAITS = "waits for the preflight of its code"


@dataclass(frozen=True)
class Outcome:
    """What a preflight found."""

    passed: bool
    message: str


class Preflights:
    """Which queued runs may be placed, as far as their code is concerned."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._needed: dict[str, str | None] = {}
        """By run, what tells its code and configuration from others; None where it has no code."""
        self._failed: dict[tuple[str, int], Outcome] = {}
        self._running: tuple[int, str, Path] | None = None
        """Process, run and folder of the one that is being tried."""

    def outcome(self, run_id: str, folder: Path) -> Outcome | None:
        """Whether a run may be placed: passed where it has no code; None while that is not known yet."""
        if run_id not in self._needed:
            self._needed[run_id] = digest(RunRecord(folder).spec_fields())
        wanted = self._needed[run_id]
        if wanted is None:
            return Outcome(True, "")
        failed = self._failed.get((f"{folder.parent}:{wanted}", RunId(run_id).repeat))
        return failed or passed(folder.parent, wanted)

    def start(self, run_id: str, folder: Path) -> int | None:
        """Try a run's code, unless another is being tried; the process's id."""
        if self._running is not None:
            return None
        command = [sys.executable, "-m", "wavebook_tools.jobs.preflight", str(folder)]
        pid = start_child(command, cwd=self.project.root, env=of_run(os.environ, []))
        self._running = (pid, run_id, folder)
        return pid

    def ended(self, pid: int) -> bool:
        """Take in that a process has ended; whether it was the preflight's."""
        if self._running is None or self._running[0] != pid:
            return False
        _, run_id, folder = self._running
        self._running = None
        wanted = self._needed[run_id] or ""
        if passed(folder.parent, wanted) is None:
            found = _read(folder.parent)
            message = str(found.get("message") or "") if found.get("digest") == wanted else ""
            outcome = Outcome(False, message or "the preflight of its code ended without a result")
            self._failed[f"{folder.parent}:{wanted}", RunId(run_id).repeat] = outcome
        return True


def digest(spec: Mapping[str, Any]) -> str | None:
    """What a preflight answers for: the task, its overrides and its code. None where a spec has no code."""
    if not spec.get("code"):
        return None
    tried = {name: spec.get(name) for name in ("task", "overrides", "code")}
    import hashlib  # slow to import, and most runs have no code

    return hashlib.sha256(json.dumps(tried, sort_keys=True).encode()).hexdigest()[:16]


def passed(experiment: Path, wanted: str) -> Outcome | None:
    """The preflight that an experiment's folder holds, where it passed with this digest."""
    found = _read(experiment)
    if found.get("passed") is True and found.get("digest") == wanted:
        return Outcome(True, str(found.get("message") or ""))
    return None


def path_of(experiment: Path) -> Path:
    """Where an experiment's preflight is told."""
    return experiment / "preflight.json"


def _read(experiment: Path) -> dict[str, Any]:
    try:
        document = json.loads(path_of(experiment).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def try_code(record: RunRecord, *, longest: float = LONGEST) -> Outcome:
    """Try a run's code in a kernel and write down what came of it, in the ledger as well.

    Args:
        record: The run; its template is not used, only its configuration and code.
        longest: Time after which it is given up [s].

    Raises:
        WavebookError: The record is damaged, or the project cannot be written.
    """
    import nbformat

    project = Project.find(record.path)
    spec = record.spec()
    began = time.time()
    outcome, notebook = _execute(project, spec, record.path, longest)
    folder = record.path.parent
    names = [f"{code.kind} {code.name}" for code in spec.code]
    document = {
        "format": 1,
        "digest": digest(json.loads(spec.model_dump_json())),
        "passed": outcome.passed,
        "message": outcome.message,
        "code": names,
        "seconds": round(time.time() - began, 1),
        "t": round(time.time(), 3),
    }
    write_atomic(folder / "preflight.ipynb", nbformat.writes(notebook) + "\n")
    project.ledger.append(
        "watchdog",
        "preflight",
        "preflight passed" if outcome.passed else "preflight failed",
        why=outcome.message,
        wave=spec.wave,
        experiment=spec.experiment,
        code=names,
    )
    write_json(path_of(folder), document)
    return outcome


def _execute(project: Project, spec: Any, folder: Path, longest: float) -> tuple[Outcome, Any]:
    import papermill  # noqa: F401 - first: it loads our engine, which needs it
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    from wavebook_tools.notebooks.engine import COLOUR_CODE, kernel_manager_for
    from wavebook_tools.notebooks.rendering import render
    from wavebook_tools.records.redaction import redact

    notebook = render(project, spec.model_copy(update={"template": TEMPLATE, "checkpoint": None}))
    with kernel_manager_for("python3") as manager:
        client = NotebookClient(notebook, km=manager, timeout=int(longest), resources={"metadata": {"path": folder}})
        try:
            client.execute()
        except CellExecutionError as error:
            return Outcome(False, redact(COLOUR_CODE.sub("", f"{error.ename}: {error.evalue}"))[:MESSAGE]), notebook
        except CellTimeoutError:
            return Outcome(False, f"the preflight took longer than {longest / 60:g} minutes"), notebook
        except DeadKernelError:
            return Outcome(False, "the preflight's process died"), notebook
    shown = [out.get("data", {}).get("text/plain", "") for cell in notebook.cells for out in cell.get("outputs", [])]
    return Outcome(True, redact("".join(shown[-1:]))[:MESSAGE]), notebook


def main() -> int:
    """Try the code of the run named on the command line; 0 where it passed, else 1."""
    from wavebook_tools.notebooks.startup import skip_iri_checks

    signal_on_parent_death(signal.SIGKILL)  # its kernel ends with it
    skip_iri_checks()
    return 0 if try_code(RunRecord(Path(sys.argv[1]))).passed else 1


if __name__ == "__main__":
    sys.exit(main())
