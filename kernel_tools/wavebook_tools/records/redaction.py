"""Takes secrets out of a text before it reaches a model, a conversation, a notebook or a log."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

SECRET_NAME = re.compile(r"(^|_)(API_?KEY|ACCESS_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)
"""Names of environment variables whose values are secrets."""

SHORTEST = 8
"""A value of fewer characters is not looked for in texts: it would be found in ordinary words."""

_PRIVATE_KEY = r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
_SHAPES = (
    ("private key", _PRIVATE_KEY),
    ("key", r"\bsk-[A-Za-z0-9_-]{16,}"),
    ("token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"),
    # Their letters and digits without a break: names like hf_pyramid_slope_inv are no tokens.
    ("token", r"\b(?:hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{16,}|pypi-[A-Za-z0-9_-]{16,})"),
    ("key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("key", r"\bAIza[A-Za-z0-9_-]{30,}"),
    ("token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)
# As text: compiled with their first use, since the queue is waited for while it starts, and needs the names alone.
_ADDRESS = r"(?i)\b([a-z][a-z0-9+.-]{0,20}://[^\s/:@\"']{0,100}:)([^\s/@\"']{1,200})(?=@)"
_AFTER = r"""(?ix)
    ( \b(?:authorization\\?["']?\s*[:=]\s*\\?["']?(?:bearer|basic|token)|bearer)\s+["']?
    | (?:api_?key|api-key|access_?key|token|secret|password|passwd|credentials?)\\?["']?\s*[:=]\s*\\?["']?
    )
    ( (?!\[redacted)[^\s"'\\@,;&)}\]]{6,} )
    """
_NUMBER = r"(?i)[-+]?[\d.,_]+(?:e[-+]?\d+)?"


def redact(text: str, environment: Mapping[str, str] | None = None, *, program: bool = False) -> str:
    """The text with secrets replaced by ``[redacted …]``.

    Found are the values of environment variables that are named like secrets, what has the shape of a known kind of
    key, and what follows a name like ``password=`` or stands in an address before the host.

    Args:
        text: Any text.
        environment: The variables whose values count; this process's where absent.
        program: The text is one, in which what follows a name like ``token=`` is rather an expression: it stays.
    """
    variables = os.environ if environment is None else environment
    known = {
        value: name for name, value in variables.items() if SECRET_NAME.search(name) and len(value.strip()) >= SHORTEST
    }
    for value in sorted(known, key=len, reverse=True):
        if value in text:
            text = text.replace(value, f"[redacted {known[value]}]")
    for kind, pattern in _SHAPES:
        text = re.sub(pattern, f"[redacted {kind}]", text, flags=re.DOTALL)
    text = re.sub(_ADDRESS, r"\1[redacted]", text)
    return text if program else re.sub(_AFTER, _assigned, text)


def without_private_keys(text: str) -> str:
    """The text with private keys redacted and all lines where they were: for one that is then shown in part.

    Of a part that begins within a key nothing tells what it is.
    """
    return re.sub(
        _PRIVATE_KEY, lambda match: "[redacted private key]" + "\n" * match[0].count("\n"), text, flags=re.DOTALL
    )


def redact_document(value: Any) -> Any:
    """A JSON document with ``redact`` applied to every text in it, names of fields included."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(name)): redact_document(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_document(item) for item in value]
    return value


def _assigned(match: re.Match[str]) -> str:
    # «max_tokens: 16000» and «secret_seed = 1234567» are numbers, not secrets.
    return match[0] if re.fullmatch(_NUMBER, match[2]) else f"{match[1]}[redacted]"
