"""The papermill engine of Wavebook: executes a notebook, writes what happens as events, saves the notebook by rename.

It is registered as ``wavebook`` in papermill's entry-point group, so ``papermill --engine wavebook`` works as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager
from papermill.log import logger

from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.files import write_atomic
from wavebook_tools.records.redaction import redact, redact_document

STREAM_LIMIT = 256 * 1024
"""Characters of printed text that a cell keeps in the notebook; the log has all of it."""

LOG_EVENT_LIMIT = 4096
"""Characters of one log event; the log has all of it."""

LINE_PATIENCE = 2.0
"""How long a printed line waits for its end [s]: a secret may come in two pieces, of which neither looks like one."""

LONGEST_LINE = 16 * 1024
"""Characters of a printed line that wait for its end."""

COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")
"""IPython colours its tracebacks; a log file is read as plain text."""

READABLE = frozenset({"text/plain", "text/html", "text/markdown", "text/latex"})
"""MIME types of outputs in which a person could read a secret."""

SAVE_INTERVAL = 5
"""How often a running cell's outputs are saved [s]."""


class AtomicExecutionManager(NotebookExecutionManager):  # type: ignore[misc]
    """Saves by rename, so that a reader never meets half a notebook, and writes cell events."""

    def __init__(self, nb: NotebookNode, *, events: EventWriter | None, **kwargs: Any) -> None:
        super().__init__(nb, **kwargs)
        self.events = events

    def save(self, **kwargs: Any) -> None:
        if self.output_path:
            write_atomic(Path(self.output_path), nbformat.writes(self.nb) + "\n")
        self.last_save_time = self.now()

    def cell_start(self, cell: NotebookNode, cell_index: int | None = None, **kwargs: Any) -> None:
        super().cell_start(cell, cell_index, **kwargs)
        self._write(cell, cell_index, "running")

    def cell_exception(self, cell: NotebookNode, cell_index: int | None = None, **kwargs: Any) -> None:
        super().cell_exception(cell, cell_index, **kwargs)
        exception = kwargs.get("exception")
        error = f"{getattr(exception, 'ename', type(exception).__name__)}: {getattr(exception, 'evalue', exception)}"
        self._write(cell, cell_index, "failed", error=redact(error[:LOG_EVENT_LIMIT]))

    def cell_complete(self, cell: NotebookNode, cell_index: int | None = None, **kwargs: Any) -> None:
        # papermill completes a cell in a finally clause, also one whose kernel died.
        ending = sys.exception()
        if ending is not None and cell.metadata.papermill["status"] != self.FAILED:
            self.cell_exception(cell, cell_index, exception=ending)
        super().cell_complete(cell, cell_index, **kwargs)
        if cell.metadata.papermill["status"] == self.COMPLETED:
            self._write(cell, cell_index, "done", seconds=cell.metadata.papermill.get("duration"))

    def _write(self, cell: NotebookNode, index: int | None, status: str, **fields: Any) -> None:
        if self.events is not None and cell.cell_type == "code":
            self.events.write("cell", index=index, cells=len(self.nb.cells), status=status, **fields)


@dataclass
class _Line:
    """A printed line that has not ended, and where it goes."""

    text: str
    outs: list[NotebookNode]
    msg: dict[str, Any]
    cell_index: int
    patience: asyncio.TimerHandle


class EventNotebookClient(PapermillNotebookClient):  # type: ignore[misc]
    """Passes what the kernel prints to the log and the events, and keeps the notebook's share of it bounded."""

    def __init__(
        self,
        nb_man: NotebookExecutionManager,
        *,
        log: Any,
        run_log: Path | None,
        stream_limit: int = STREAM_LIMIT,
        **kwargs: Any,
    ) -> None:
        super().__init__(nb_man, log=log, **kwargs)
        self._stream_limit = stream_limit
        self._events: EventWriter | None = getattr(nb_man, "events", None)
        self._run_log = open(run_log, "ab", buffering=0) if run_log else None  # noqa: SIM115 - as long as the client
        self._kept: dict[int, int] = {}
        self._line: _Line | None = None

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        if msg["msg_type"] != "stream":  # what was printed before stands before, also before the cell's end
            self._end_line()
        return super().process_message(msg, cell, cell_index)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        if msg["msg_type"] == "stream":
            return self._printed(outs, msg, cell_index)
        msg = {**msg, "content": _without_secrets(msg["msg_type"], msg["content"])}
        if msg["msg_type"] == "error":
            self._log("stderr", COLOUR_CODE.sub("", "\n".join(msg["content"]["traceback"])) + "\n")
        return super().output(outs, msg, display_id, cell_index)

    def _printed(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> NotebookNode | None:
        """Tell whole lines; the last one waits for its end or its patience, whichever comes first."""
        line, text = self._line, msg["content"]["text"]
        if line is not None and line.msg["content"]["name"] == msg["content"]["name"]:
            text = line.text + text
        else:
            self._end_line()
        end = max(text.rfind("\n"), text.rfind("\r")) + 1
        if (key := text.rfind("-----BEGIN ", 0, end)) >= 0 and "-----END " not in text[key:end]:
            end = key  # a secret of several lines
        if len(text) - end > LONGEST_LINE:
            end = len(text)
        if self._line is not None and end == 0:  # its patience goes on: a line that grows for ever is still seen
            self._line.text = text
            return None
        if self._line is not None:
            self._line.patience.cancel()
            self._line = None
        if text[end:]:
            patience = asyncio.get_running_loop().call_later(LINE_PATIENCE, self._end_line)
            self._line = _Line(text[end:], outs, msg, cell_index, patience)
        return self._tell(outs, msg, cell_index, text[:end]) if end else None

    def _end_line(self) -> None:
        if self._line is not None:
            line, self._line = self._line, None
            line.patience.cancel()
            self._tell(line.outs, line.msg, line.cell_index, line.text)

    def _tell(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int, text: str) -> NotebookNode | None:
        """Printed text, without secrets, for the log, the events and the notebook."""
        text = redact(text)
        self._log(msg["content"]["name"], text)
        kept = self._kept.get(cell_index, 0)
        self._kept[cell_index] = kept + len(text)
        if kept >= self._stream_limit:
            return None
        if kept + len(text) > self._stream_limit:
            text = text[: self._stream_limit - kept] + "\n… more of this stands in log.txt\n"
        if outs and outs[-1].output_type == "stream" and outs[-1].name == msg["content"]["name"]:
            outs[-1].text += text  # one output a stream, as JupyterLab shows and saves it
            return outs[-1]
        return super().output(outs, {**msg, "content": {**msg["content"], "text": text}}, None, cell_index)

    async def _async_poll_kernel_alive(self) -> None:
        # nbclient looks once a second. The kernel's process tells at once, so that a killed run ends without that wait.
        pid = getattr(getattr(self.km, "provisioner", None), "pid", None)
        if pid is None:
            await super()._async_poll_kernel_alive()
            return
        with contextlib.suppress(ProcessLookupError):
            await _ended(pid)
        self._end_line()
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    def _log(self, stream: str, text: str) -> None:
        if self._run_log is not None:
            self._run_log.write(text.encode(errors="replace"))
        if self._events is not None:
            self._events.write("log", stream=stream, text=text[-LOG_EVENT_LIMIT:])


def _without_secrets(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """What a kernel says, with secrets in its texts redacted before they reach the notebook, the log or an event."""
    if kind == "error":
        return {
            **content,
            "evalue": redact(content["evalue"]),
            "traceback": [redact(line) for line in content["traceback"]],
        }
    data = content.get("data")
    if not isinstance(data, dict):
        return content
    return {**content, "data": {mime: _redacted_output(mime, value) for mime, value in data.items()}}


def _redacted_output(mime: str, value: Any) -> Any:
    if mime == "application/json":
        return redact_document(value)
    return redact(value, program="<script" in value) if mime in READABLE and isinstance(value, str) else value


async def _ended(pid: int) -> None:
    """Wait until a process has ended; ProcessLookupError where it has long."""
    descriptor = os.pidfd_open(pid)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


class WavebookEngine(Engine):  # type: ignore[misc]
    """Executes a notebook in a kernel of its own and writes events as they happen."""

    @classmethod
    def execute_notebook(
        cls,
        nb: NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool | dict[str, Any] = True,
        log_output: bool = False,
        autosave_cell_every: int = SAVE_INTERVAL,
        *,
        save_path: Path | None = None,
        events: EventWriter | None = None,
        run_log: Path | None = None,
        kernel_manager: AsyncKernelManager | None = None,
        **kwargs: Any,
    ) -> NotebookNode:
        """Execute ``nb``.

        Args:
            save_path: Where the notebook is saved while it runs; papermill's own output path where absent.
            events: Receives state, cell and log events.
            run_log: Receives everything that the kernel prints, also what its C libraries print past Python.
            kernel_manager: From ``kernel_manager_for``, for a caller that must reach the kernel's process.
        """
        manager = AtomicExecutionManager(
            nb,
            events=events,
            output_path=str(save_path) if save_path else output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            with contextlib.ExitStack() as stack:
                cls.execute_managed_notebook(
                    manager,
                    kernel_name,
                    log_output=log_output,
                    run_log=run_log,
                    kernel_manager=kernel_manager or stack.enter_context(kernel_manager_for(kernel_name)),
                    **kwargs,
                )
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        kernel_manager: AsyncKernelManager,
        run_log: Path | None = None,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        **kwargs: Any,
    ) -> NotebookNode:
        kwargs = {name: value for name, value in kwargs.items() if name not in {"input_path", "timeout"}}
        client = EventNotebookClient(
            nb_man,
            km=kernel_manager,
            run_log=run_log,
            kernel_name=kernel_name,
            timeout=execution_timeout,
            startup_timeout=start_timeout,
            log=logger,
            **kwargs,
        )
        if run_log is None:
            return client.execute()
        with open(run_log, "ab") as stream:
            return client.execute(stdout=stream, stderr=stream, cleanup_kc=True)


@contextlib.contextmanager
def kernel_manager_for(kernel_name: str) -> Iterator[AsyncKernelManager]:
    """A kernel manager that talks over Unix sockets in a private folder: many may start without racing for ports."""
    with tempfile.TemporaryDirectory(prefix="wavebook-kernel-", ignore_cleanup_errors=True) as folder:
        connection_file = str(Path(folder, "kernel.json"))
        yield AsyncKernelManager(kernel_name=kernel_name, transport="ipc", connection_file=connection_file)
