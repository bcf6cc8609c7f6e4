"""Executes a run's notebook, below its supervisor.

python -m wavebook_tools.jobs.worker RUN_FOLDER
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from wavebook_tools.notebooks.startup import skip_iri_checks

skip_iri_checks()

import papermill
from jupyter_client.manager import AsyncKernelManager
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.processes import signal_on_parent_death
from wavebook_tools.notebooks.engine import WavebookEngine, kernel_manager_for
from wavebook_tools.notebooks.rendering import render
from wavebook_tools.notebooks.signing import sign
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.project import Project, RunRecord


class UnsavedError(WavebookError):
    """The notebook cannot be saved any more: the disk is full, or the folder has become read-only."""


def execute(project: Project, record: RunRecord) -> None:
    """Render the run's notebook and execute it in place.

    Raises:
        WavebookError: The record or its template is wrong.
        UnsavedError: The notebook cannot be saved while it is executed.
        PapermillExecutionError: A cell failed; the notebook holds the traceback.
    """
    spec = record.spec()
    device = "cuda:0" if os.environ.get("CUDA_VISIBLE_DEVICES") else "cpu"
    notebook = render(project, spec, device)
    kernel_name = notebook.metadata.get("kernelspec", {}).get("name", "python3")
    # By name, as papermill wants it, but without depending on the installed metadata.
    papermill_engines.register("wavebook", WavebookEngine)
    with contextlib.closing(EventWriter(record.events_path)) as events, kernel_manager_for(kernel_name) as manager:
        _interrupt_kernel_on_sigterm(manager)
        try:
            papermill.execute_notebook(
                notebook,
                None,  # the engine saves by rename; papermill's own writes are not atomic
                engine_name="wavebook",
                kernel_name=kernel_name,
                cwd=record.path,
                progress_bar=False,
                save_path=record.notebook_path,
                events=events,
                run_log=record.log_path,
                stream_limit=spec.limits.cell_output_bytes,
                kernel_manager=manager,
            )
        except WavebookError as error:
            raise UnsavedError(str(error)) from error
        finally:
            with contextlib.suppress(OSError):
                sign(record.notebook_path)


def _interrupt_kernel_on_sigterm(manager: AsyncKernelManager) -> None:
    """SIGTERM becomes an interrupt of the kernel: the cell stops with a traceback and the notebook is saved."""

    def interrupt(number: int, frame: object) -> None:
        pid = getattr(manager.provisioner, "pid", None)
        if pid is None:
            raise SystemExit(1)  # no kernel yet
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)


def main() -> None:
    """Execute the run named on the command line; exit code 1 where it fails."""
    signal_on_parent_death(signal.SIGTERM)
    record = RunRecord(Path(sys.argv[1]))
    try:
        execute(Project.find(record.path), record)
    except PapermillExecutionError:
        raise SystemExit(1) from None  # its traceback stands in the notebook and the log
    except WavebookError as error:
        print(error, file=sys.stderr)
        finding = "not saved" if isinstance(error, UnsavedError) else "crash at start"
        EventWriter(record.events_path).write("alert", finding=finding, message=str(error))
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
