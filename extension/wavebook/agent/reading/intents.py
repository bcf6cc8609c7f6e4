"""What a directive asks for where it plans nothing: an answer, a stop, the cause of a failure or its repair."""

from __future__ import annotations

import re

from wavebook.agent.directive import Intent
from wavebook.agent.reading.text import Text

_QUESTIONS: tuple[tuple[Intent, str], ...] = (
    (
        "greeting",
        r"\W*(?:hi|hello|hey|good\s+(?:morning|afternoon|evening|day))(?:\W+(?:there|wavebook|agent|all))?\W*",
    ),
    ("thanks", r"\W*(?:thanks|thank\s+you|great|nice|cool|ok|okay|perfect)(?:\W+\w+){0,3}\W*"),
    (
        "stop",
        r"\W*(?:please\s+)?(?:stop|cancel|kill|abort|halt|drop|skip|leave\s+out|omit)\W+"
        r"(?:everything|all|it|that|this|now|(?:(?:all|the|that|this)\s+)*(?:runs?|waves?|night|training)(?:\s+\d+)?"
        r"|(?:the\s+)?exp\d{3,}(?:/s\d+(?:-r\d+)?)?)(?:\s+(?:now|please))?\W*",
    ),
    ("help", r"\W*/?(?:help|what\s+can\s+(?:you|i)\s+\w+|who\s+are\s+you|how\s+does\s+(?:this|it)\s+work)\b.{0,60}"),
    (
        "status",
        r"\W*/?(?:(?:what(?:'s|’s|\s+is)\s+the\s+)?(?:status|progress|state)\b.*"
        r"|how\s+(?:is|are|was|were|did|far|goes|long)\b.*"
        r"|what(?:'s|’s|\s+is|\s+are|\s+was)?\s+(?:running|happen\w*+(?!\s+(?:if|when|with|without)\b)|going\s+on|the\s+(?:best|results?|news)).*"
        r"|what\s+(?:did|have|has)\s+(?:we|you|i|it|the\s+\w+)\s+(?:learn|find|found|show|done).*"
        r"|(?:show|tell|give)\s+(?:me\s+)?(?:the\s+)?(?:status|progress|results?|best)\b.*"
        r"|which\s+(?:experiment|run|wave|one)\b.*|(?:best\s+so\s+far|any\s+news|are\s+we\s+done)\W*)",
    ),
)

_DIAGNOSE = (
    r"\b(?:diagnos\w*|isolat\w*|root\s+cause|what\s+(?:broke|went\s+wrong)"
    r"|why\b.{0,60}\b(?:fail\w*|hang\w*|hung|crash\w*|br(?:eak|oke)\w*|collaps\w*|diverg\w*|die[ds]?)"
    r"|(?:find|narrow)\b.{0,30}\b(?:causes?|culprit|terrains?\s+that\s+(?:hang|break|crash)))\b"
)

_MEND = (
    r"\b(?:mend|fix|repair|cure)(?:s|ed|ing)?\b"
    r"(?:.{0,40}?\b(?:exp\d{3,}|failures?|failed|crash\w*|broken)\b|\s+(?:it|(?:the|this|that)\s+(?:run|experiment))\W*$)"
)

_FAILURES: tuple[tuple[Intent, str, str], ...] = (
    ("diagnose", _DIAGNOSE, "isolate why {} failed"),
    ("mend", _MEND, "mend {}"),
)


def failure(text: Text) -> bool:
    """Whether it asks for the cause of a failure, or to mend one."""
    for intent, pattern, what in _FAILURES:
        if re.search(pattern, text.rest, re.DOTALL):
            run = re.search(r"\bexp\d{3,}(?:/s\d+(?:-r\d+)?)?\b", text.rest)
            text.found.intent, text.found.subject = intent, run[0] if run else None
            text.note(what.format(text.found.subject or "the newest run that went wrong"))
            return True
    return False


def question(text: Text) -> bool:
    """Whether it is to be answered or obeyed, and nothing of it planned."""
    for intent, pattern in _QUESTIONS:
        if re.fullmatch(pattern, text.rest, re.DOTALL):
            text.found.intent = intent
            return True
    return False
