"""The parameters of a task, as data: what a plan may override without importing a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ParameterType = Literal["float", "int", "bool", "str", "list", "term"]


class Parameter(BaseModel):
    """One value of a task's configuration that an override may set."""

    model_config = ConfigDict(frozen=True)

    type: ParameterType
    """``term`` is a whole reward, termination or event term: it can only be removed, by null."""
    default: Any = None
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: list[Any] | None = None
    length: int | None = None
    """Number of items, where a list has a fixed one."""
    item: Literal["float", "int", "bool", "str"] | None = None
    """Type of a list's items."""
    unit: str = ""
    description: str = ""


class SearchRange(BaseModel):
    """A parameter that is worth varying, and how far."""

    model_config = ConfigDict(frozen=True)

    name: str
    low: float
    high: float
    log: bool = False
    """Whether steps are factors rather than differences."""
    why: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        # A penalty's weight is negative: its range then has both ends below zero and is searched by magnitude.
        if not self.low < self.high:
            raise ValueError(f"{self.name}: low {self.low} is not below high {self.high}")
        if self.log and self.low * self.high <= 0:
            raise ValueError(f"{self.name}: a range searched by factors cannot hold zero")
        return self


class TaskSchema(BaseModel):
    """A task: what it is called, what it is for, and what can be set in it."""

    format: Literal[1] = 1
    task: str
    title: str = ""
    description: str = ""
    parameters: dict[str, Parameter]
    """By dotted name, ``env.…`` or ``agent.…``, as Isaac Lab names them for hydra."""
    search: list[SearchRange] = Field(default_factory=list)

    @model_validator(mode="after")
    def _search_known(self) -> Self:
        for entry in self.search:
            if entry.name not in self.parameters:
                raise ValueError(f"search names {entry.name!r}, which is not among the parameters")
        return self

    def value_of(self, name: str, overrides: Mapping[str, Any]) -> Any:
        """What a parameter is with some overrides: theirs, else the task's own."""
        return overrides[name] if name in overrides else self.parameters[name].default

    def range_of(self, name: str) -> SearchRange | None:
        """The declared search range of a parameter, or None where it has none."""
        return next((entry for entry in self.search if entry.name == name), None)
