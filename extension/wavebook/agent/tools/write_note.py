"""``write_note``: a decision or finding, in the agent's own words, into the ledger."""

from __future__ import annotations

from pydantic import Field

from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.records.redaction import redact


class WriteNote(Arguments):
    what: str = Field(pattern=r"^(finding|pivot|verdict|note)$", description="finding, pivot, verdict or note")
    text: str = Field(min_length=10, max_length=2000)
    evidence: list[str] = Field(default=[], max_length=50, description="Records it rests on, as exp001 or exp001/s0")


def run(workspace: Workspace, arguments: WriteNote) -> str:
    """Append it."""
    workspace.project.ledger.append(
        "agent", workspace.actor, arguments.what, why=redact(arguments.text), evidence=arguments.evidence
    )
    return f"the {arguments.what} stands in the ledger"


TOOL = Tool(
    "write_note",
    "Write a finding, a pivot, a verdict or a note into the ledger, with the records it rests on.",
    WriteNote,
    run,
    access=Access.RECORD,
)
