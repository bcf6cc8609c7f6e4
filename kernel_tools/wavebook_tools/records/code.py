"""A code override: a term function that an experiment brings along, as it stands in plans and records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

LONGEST = 8000
"""Characters of a term's source: a page that a person reads before approving it."""

MOST = 4
"""Code overrides of one experiment."""

TermName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]


class Entity(BaseModel):
    """A part of the scene that a term looks at, as Isaac Lab's ``SceneEntityCfg``."""

    model_config = ConfigDict(extra="forbid")

    entity: str = Field(pattern=r"^[a-z][a-z0-9_]{0,47}$", description="As robot or contact_forces")
    body_names: str | list[str] | None = None
    joint_names: str | list[str] | None = None
    preserve_order: bool = False


class CodeOverride(BaseModel):
    """A term in source. What the source may hold is checked by ``wavebook_tools.code.check``."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    kind: Literal["reward"] = "reward"
    name: TermName = Field(description="The term's name, and that of its function")
    source: str = Field(
        min_length=20,
        max_length=LONGEST,
        description="Imports and one plain function (env, ...) -> Tensor[num_envs], as Isaac Lab's reward terms",
    )
    weight: float = Field(allow_inf_nan=False, description="What the term is multiplied by, beside the step time")
    params: dict[str, Entity | JsonValue] = Field(
        default_factory=dict,
        max_length=16,
        description='The function\'s further arguments; of the scene as {"entity": "robot", "joint_names": ".*"}',
    )

    @property
    def digest(self) -> str:
        """What tells one source from another: 16 hexadecimal digits over kind, name and source."""
        return hashlib.sha256("\0".join((self.kind, self.name, self.source)).encode()).hexdigest()[:16]

    @property
    def mark(self) -> tuple[str, str]:
        """The override as a parameter and its value, where experiments are told apart: ``code.reward.NAME``."""
        params = "".join(f", {key} {value}" for key, value in sorted(self.plain_params().items()))
        return f"code.{self.kind}.{self.name}", f"weight {self.weight:g}{params}, source {self.digest[:8]}"

    def plain_params(self) -> dict[str, Any]:
        """The parameters as JSON holds them."""
        values = self.params.items()
        return {k: v.model_dump(exclude_defaults=True) if isinstance(v, Entity) else v for k, v in values}


def merged(base: Sequence[CodeOverride], own: Sequence[CodeOverride]) -> list[CodeOverride]:
    """The terms of a wave and of an experiment; one of the same name takes the other's place."""
    return list({(code.kind, code.name): code for code in [*base, *own]}.values())


def marks(code: Sequence[CodeOverride]) -> dict[str, str]:
    """Code overrides as parameters and values, as overrides stand."""
    return dict(term.mark for term in code)
