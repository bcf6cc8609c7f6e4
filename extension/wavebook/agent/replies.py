"""What the offline planner answers where no wave is asked for: how things stand, what it can do, what it missed."""

from __future__ import annotations

from typing import Any

from wavebook.agent.approvals import Approval
from wavebook.agent.diagnosis.plan import Isolation
from wavebook.agent.directive import Directive
from wavebook.agent.pruning import hopeless_runs
from wavebook_tools.comparison import verdicts
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.status import project_status
from wavebook_tools.metrics.quantities import counted
from wavebook_tools.records.project import Project

EXAMPLES = (
    "- make DHAV1 track velocity better on flat ground\n"
    "- fall less often on rough ground, 3 experiments, 2 seeds\n"
    "- try learning rates 3e-4 and 3e-3, 500 iterations\n"
    "- reproduce the best with 3 seeds\n"
    "- why did exp003 fail? isolate the cause\n"
    "- mend exp003"
)

SUBJECTS = (
    "velocity, turning, terrain, falls, smoothness, energy, gait, learning speed, exploration, network, optimiser"
)

SHOWN_WAVES = 3


def greeting(project: Project, approvals: list[Approval]) -> str:
    """An answer to «hello»: where things stand in a line, and what to write."""
    short = _in_short(project, approvals)
    return f"Hello. {short}\n\nWrite what the next wave should find out, for example:\n\n{EXAMPLES}"


def help_text() -> str:
    """What the offline planner can do."""
    return (
        "I plan waves of experiments without a language model: I read the directive by its words, look at what earlier "
        "waves measured, and propose experiments that you approve before anything runs.\n\n"
        f"I know these goals: {SUBJECTS}; the parameters and reward terms of the task by name, with values; numbers of "
        "experiments, seeds, iterations, robots, runs, minutes and GPU hours; devices; flat and rough ground; what to "
        f"leave alone. For example:\n\n{EXAMPLES}\n\nAsk «status» for how things stand."
    )


def clarification(directive: Directive) -> str:
    """What to say where nothing in a directive could be planned."""
    missed = f" I made nothing of {quoted(directive.unknown)}." if directive.unknown else ""
    only_english = " If that was another language: I read English alone." if directive.unknown else ""
    understood = f" I did understand: {'; '.join(directive.notes)}." if directive.notes else only_english
    return (
        f"I don't know what to try for that.{missed}{understood} Name a goal ({SUBJECTS}) or a parameter with a value, "
        f"for example:\n\n{EXAMPLES}"
    )


def stopping() -> str:
    """How what runs or waits is ended, which words to the planner do not do."""
    return (
        "I end nothing from here. **Cancel** in the context menu of a run or a wave ends it, or `wavebook cancel "
        "exp002/s1`; `/night stop` ends a night. A plan that waits is turned down by **Reject** on its card, and "
        "**Change…** there leaves experiments out."
    )


def isolation(found: Isolation) -> str:
    """How the cause of a failure is to be isolated, in words."""
    lines = [f"The watchdog's finding in {found.run}: **{found.kind}**. {found.question}"]
    if found.plan is not None:
        lines.append("I propose to find out by experiments, the first of which is the control:")
        lines.append("\n".join(f"- {e.id} {e.slug}: {e.hypothesis}" for e in found.plan.experiments))
    lines += [f"`{step.tool}` would tell as well: {step.why}." for step in found.steps]
    if found.left_out:
        lines.append(f"Not tested: {', '.join(found.left_out)}.")
    return "\n\n".join(lines)


def status(project: Project, approvals: list[Approval]) -> str:
    """How waves and runs stand, the newest first, with verdicts where there are any."""
    waves = _waves(project)
    parts = [f"Wave {a.plan.id} waits for your approval: {a.plan.goal}." for a in approvals if a.state == "pending"]
    for wave in reversed(waves[-SHOWN_WAVES:]):
        parts.append(_wave(project, wave))
    parts += [f"{hopeless}." for hopeless in hopeless_runs(project)]
    if len(waves) > SHOWN_WAVES:
        parts.append(f"Before these: {len(waves) - SHOWN_WAVES} more.")
    return "\n\n".join(parts) or "Nothing was planned or run yet. Write what the first wave should find out."


def _wave(project: Project, wave: dict[str, Any]) -> str:
    runs = wave["runs"]
    done = sum(run["state"] == "done" for run in runs)
    head = f"**Wave {wave['id']}** ({wave['goal']}): {wave['state']}, {done} of {len(runs)} runs done."
    lines = []
    for run in runs:
        if run["state"] in {"starting", "running", "evaluating"}:
            share = f", iteration {run['iteration']} of {run['iterations']}" if run["state"] == "running" else ""
            lines.append(f"- {run['id']} {run['state']} on {run['device'] or 'a device'}{share}")
        elif run["state"] in {"failed", "hung"}:
            lines.append(f"- {run['id']} {run['state']}: {run['message'] or 'no message'}")
    if done:
        try:
            judged = verdicts(project, wave["id"])
        except WavebookError as error:
            lines.append(f"- no verdicts: {error}")
        else:
            lines += [f"- {name}: **{verdict.verdict}**. {verdict.text}" for name, verdict in judged.items()]
    return head + ("\n\n" + "\n".join(lines) if lines else "")


def _in_short(project: Project, approvals: list[Approval]) -> str:
    waves = _waves(project)
    pending = sum(approval.state == "pending" for approval in approvals)
    if not waves and not pending:
        return "Nothing was run here yet."
    busy = sum(run["state"] in {"starting", "running", "evaluating"} for wave in waves for run in wave["runs"])
    queued = sum(run["state"] == "queued" for wave in waves for run in wave["runs"])
    parts = [
        f"{counted(len(waves), 'wave')} so far",
        f"{counted(busy, 'run')} running",
        f"{queued} waiting for a device",
    ]
    if pending:
        parts.append(f"{counted(pending, 'plan')} waiting for your approval")
    return ", ".join(parts) + "."


def _waves(project: Project) -> list[dict[str, Any]]:
    if not project.waves():
        return []
    found: list[dict[str, Any]] = project_status(Project.create(project.root))["waves"]
    return found


def quoted(words: list[str]) -> str:
    """Words in quotation marks, the first dozen of them."""
    return ", ".join(f"«{word}»" for word in words[:12])
