"""Kernel died: the process that trains ended without a Python error."""

from __future__ import annotations

import re

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Failure, RunView, Signature

DEAD = re.compile(r"DeadKernelError|Kernel died")
"""What nbclient says when a kernel's process is gone."""

FATAL = re.compile(r"Fatal Python error: ([^\n]{1,120})")
"""What faulthandler prints, where it is switched on, when the process crashes in native code."""

CURRENT = re.compile(r"^Current thread 0x[^\n]*\n", re.MULTILINE)
FRAME = re.compile(r'^ *File "([^"\n]{1,300})", line (\d+) in (\S{1,100})', re.MULTILINE)

FRAMES = 8
"""Innermost frames that are kept as evidence."""


class KernelDied(Signature):
    """A run failed as its kernel was gone: by a crash in native code where faulthandler has printed one, else by a
    signal from outside, and for memory only where ``OutOfMemory``, which is asked first, has a sign of it."""

    kind = "kernel died"

    def explain(self, failure: Failure, run: RunView) -> Finding | None:
        died = failure.exit_code < 0 or failure.find(DEAD) is not None
        if not died or failure.raised_here:
            return None
        where = {"phase": run.phase, "last_iteration": run.last_iteration}
        crash = FATAL.search(failure.log)
        if crash is None:
            message = f"the kernel was ended from outside while {run.phase}; no crash and no lack of memory shows"
            suggestion = Suggestion(Action.RETRY, "whoever ended it, the experiment did not")
            return Finding(self.kind, message, where, ends_run=True, suggestion=suggestion)
        current = CURRENT.search(failure.log, crash.end())
        found = FRAME.findall(failure.log, current.end())[:FRAMES] if current else []
        frames = [f"{name} ({path}:{line})" for path, line, name in found]
        message = f"the kernel crashed while {run.phase}: {crash[1]}" + (f", in {frames[0]}" if frames else "")
        suggestion = (
            Suggestion(Action.RETRY, "a crash in native code shows no cause; one that comes again is to be isolated")
            if run.trained
            else Suggestion(Action.INSTALL, "a library crashes as it starts: it fits neither the others nor the driver")
        )
        evidence = {**where, "crash": crash[1], "frames": frames}
        return Finding(self.kind, message, evidence, ends_run=True, suggestion=suggestion)
