from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wavebook_tools.records.states import RunState


@dataclass(frozen=True)
class Finding:
    kind: str
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    ends_run: bool = False
    state: RunState = RunState.FAILED
    suggestion: Any = None
    def event(self) -> dict[str, Any]:
        return {"finding": self.kind, "message": self.message, "ends_run": self.ends_run, "suggestion": None, "evidence": self.evidence}
