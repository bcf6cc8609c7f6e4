"""What of the environment a run may see."""

from __future__ import annotations

import re
from collections.abc import Mapping

SECRET_NAME = re.compile(r"(^|_)(API_?KEY|ACCESS_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without variables that are named like secrets.

    A run executes code that an agent may have written and keeps what it prints, so it gets no key it does not need.
    """
    return {name: value for name, value in environment.items() if not SECRET_NAME.search(name)}
