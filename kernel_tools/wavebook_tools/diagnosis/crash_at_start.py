"""Crash at start: the run failed before its first iteration."""

from __future__ import annotations

import re
from collections.abc import Callable

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Failure, RunView, Signature, line_with

DISTRIBUTIONS = {
    "isaaclab": "wavebook[sim]",
    "rsl_rl": "wavebook[sim]",
    "torch": "wavebook[sim]",
    "pxr": "usd-exchange",
}
"""Where the package to install is not called as the module."""


def _module(match: re.Match[str]) -> Suggestion:
    module = match[1].partition(".")[0]
    package = DISTRIBUTIONS.get(module, module)
    return Suggestion(Action.INSTALL, f"the module {match[1]} is not in the kernel's environment", names=(package,))


def _import(match: re.Match[str]) -> Suggestion:
    return Suggestion(Action.INSTALL, "a package of the kernel's environment is broken or of the wrong version")


def _library(match: re.Match[str]) -> Suggestion:
    return Suggestion(Action.INSTALL, f"the machine lacks the library {match[1]}", names=(match[1],))


def _driver(match: re.Match[str]) -> Suggestion:
    return Suggestion(
        Action.INSTALL, "no driver, or one too old for this CUDA, on the machine", names=("nvidia driver",)
    )


def _device(match: re.Match[str]) -> Suggestion:
    return Suggestion(
        Action.FREE_DEVICE, "the run's device cannot be used: gone, in exclusive use, or lost by the driver"
    )


def _asset(match: re.Match[str]) -> Suggestion:
    path = next(group for group in match.groups() if group)
    return Suggestion(Action.CORRECT_PLAN, "a file that the run needs is not there", names=(path,))


def _plan(match: re.Match[str]) -> Suggestion:
    return Suggestion(Action.CORRECT_PLAN, "the plan names something that does not exist")


CAUSES: tuple[tuple[str, str, Callable[[re.Match[str]], Suggestion]], ...] = (
    ("missing module", r"No module named '([\w.]{1,200})'", _module),
    ("missing library", r"(?:OSError|ImportError): (lib[\w.+-]{1,80}): cannot open shared object", _library),
    ("import failed", r"(?:ImportError|ModuleNotFoundError|undefined symbol)\b", _import),
    (
        "driver",
        r"Found no NVIDIA driver|NVIDIA driver on your system is too old|driver version is insufficient"
        r"|CUDA driver initialization failed|Failed to load CUDA driver|Insufficient driver"
        r"|Torch not compiled with CUDA enabled|not compiled with CUDA support",
        _driver,
    ),
    (
        "device",
        r"No CUDA GPUs are available|no CUDA-capable device|invalid device ordinal|CUDA-capable device\(s\) is/are busy"
        r"|Invalid device identifier: cuda|CUDA error: unknown error|GPU is lost|Unable to determine the device handle",
        _device,
    ),
    (
        "missing asset",
        r"(?:USD|URDF|MJCF|[Aa]sset) file not found at path:? *['\"‘]?([^\s'\"’]{1,400})"
        r"|Unable to (?:find git asset|find the file|resolve the file): ([^\s]{1,400})"
        r"|No such file or directory: ['\"]([^'\"]{1,400})"
        r"|there is no checkpoint ([^\s]{1,400})|the checkpoint '([^']{1,400})' is not in the project",
        _asset,
    ),
    ("plan", r"(?:ConfigurationError|UsageError|NotFoundError|ValidationError)\b", _plan),
)
"""What stops a run at its start: the cause's name, how it reads, and what to do. The first that fits counts."""


class CrashAtStart(Signature):
    """The run failed by itself before its first iteration. The cause is read from the failed cell's error, and from the
    end of the log where another process or exception is behind it: import, library, driver, device, asset, or the plan
    itself. Where none fits the finding has no cause but still says that nothing was trained: another seed would fail
    alike."""

    kind = "crash at start"

    def explain(self, failure: Failure, run: RunView) -> Finding | None:
        if run.trained or run.phase == "evaluating":
            return None
        for text in failure.texts:
            for cause, pattern, suggest in CAUSES:
                match = re.search(pattern, text)
                if match is not None:
                    line = line_with(text, match.start())
                    evidence = {"cause": cause, "line": line, "phase": run.phase, "exit_code": failure.exit_code}
                    message = f"failed while {run.phase}, before the first iteration: {cause}: {line}"
                    return Finding(self.kind, message, evidence, ends_run=True, suggestion=suggest(match))
        evidence = {"cause": None, "line": failure.error[:400], "phase": run.phase, "exit_code": failure.exit_code}
        message = f"failed while {run.phase}, before the first iteration: {failure.error[:400]}"
        suggestion = Suggestion(Action.STOP_BRANCH, "nothing was trained; its other seeds would fail in the same way")
        return Finding(self.kind, message, evidence, ends_run=True, suggestion=suggestion)
