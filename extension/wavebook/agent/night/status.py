"""How a night stands, as one document: ``wavebook night status --json`` and the sidebar's banner."""

from __future__ import annotations

import time
from typing import Any

from wavebook.agent.night.grant import NightRecord, Nights
from wavebook.agent.night.process import alive
from wavebook.agent.night.spending import Spending, spending
from wavebook_tools.records.project import Project


def night_status(project: Project) -> dict[str, Any]:
    """The newest night, as docs/server-api.md describes it; null where there was none."""
    night = Nights(project).newest()
    if night is None:
        return {"night": None}
    now = time.time()
    spent = spending(project, night.waves, night.ended or now)
    lives = night.state != "ended" and alive(project)
    return {
        "night": {
            "id": night.id,
            "directive": night.terms.directive,
            "state": night.state,
            "alive": lives,
            "doing": _doing(night, spent, lives),
            "granted": night.granted,
            "granted_by": night.granted_by,
            "until": night.terms.until.text if night.terms.until else None,
            "waves": {"used": len(night.waves), "allowed": night.terms.waves},
            "runs": {"used": len(spent.runs), "allowed": night.terms.runs * night.terms.waves},
            "device_hours": {"used": round(spent.hours, 4), "allowed": night.terms.gpu_hours},
            "hours": {
                "used": round(((night.ended or now) - night.granted) / 3600, 4),
                "allowed": night.terms.hours,
            },
            "judged": [judged.model_dump() for judged in night.judged],
            "stop_by": night.stop_by,
            "outcome": night.outcome,
            "why": night.why,
            "ended": night.ended,
        }
    }


def _doing(night: NightRecord, spent: Spending, lives: bool) -> str:
    """What goes on now, in words; empty where it is over."""
    if night.state == "ended":
        return ""
    if night.stop_by is not None:
        return f"being stopped by {night.stop_by}"
    if night.state == "paused":
        return "paused: its process was told to end"
    if not lives:
        return "waits for its process to be started again"
    number, wave = len(night.judged) + 1, night.open_wave
    runs = [run for run in spent.runs if run.wave == wave]
    if night.doing == "running" and runs:
        done = sum(run.state.final for run in runs)
        return f"wave {number} of {night.terms.waves}: {done} of {len(runs)} runs have ended"
    return f"wave {number} of {night.terms.waves}: {night.doing or 'begins'}"
