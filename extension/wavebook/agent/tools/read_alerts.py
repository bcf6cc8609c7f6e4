"""``read_alerts``: what the watchdog found in a run, with evidence and its suggestion."""

from __future__ import annotations

import json

from pydantic import Field

from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.comparison.data import last_state

MOST = 20


class ReadAlerts(Arguments):
    run: str = Field(max_length=60, description="As exp001/s0")


def run(workspace: Workspace, arguments: ReadAlerts) -> str:
    """The state and the last alerts, one a line, as JSON."""
    record = workspace.project.run(arguments.run)
    state = last_state(record)
    alerts = record.alerts()[-MOST:]
    head = f"{arguments.run} is {state.get('state', 'queued')}: {state.get('message') or 'no message'}"
    return "\n".join([head, *(json.dumps(alert, ensure_ascii=False)[:4000] for alert in alerts)] if alerts else [head])


TOOL = Tool(
    "read_alerts",
    "Read how a run stands and what the watchdog found in it: failure signature, evidence, suggested step.",
    ReadAlerts,
    run,
    source=lambda arguments: f"the alerts of {arguments.run}",
)
