"""Which values of a task's configuration an experiment may override, and how one is set.

A parameter has a dotted name as Isaac Lab's hydra interface names it: ``env.`` and a path into the environment's
configuration, ``agent.`` and a path into the rsl_rl runner's. Names come from walking the real configuration, so the
catalogue's schemas and the check before a run agree by construction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from wavebook_locomotion import observation_sets
from wavebook_locomotion.errors import ConfigurationError, did_you_mean
from wavebook_locomotion.randomization import presets as randomization
from wavebook_locomotion.rewards import presets
from wavebook_locomotion.symmetry import presets as symmetry
from wavebook_locomotion.terrains import sets

TERM = "term"
"""Type of a whole reward, termination, event, observation, curriculum term or sub-terrain: null removes it."""

RESERVED = {
    "env.scene.num_envs": "num_envs",
    "agent.max_iterations": "iterations",
    "env.seed": "seed",
    "agent.seed": "seed",
    "env.sim.device": "device",
    "agent.device": "device",
}
"""What a plan sets in a field of its own."""

CHOOSERS = ("env.terrain_set", "env.reward_preset", "env.randomization", "env.observation_set")
"""Parameters that set many others by one name."""

_TERM_GROUPS = ("rewards", "terminations", "events", "curriculum")
_KEPT_TERMS = ("simulation_broken",)
_TERM_FIELDS = ("weight", "params", "interval_range_s")
_COMMAND_FIELDS = (
    "resampling_time_range",
    "heading_command",
    "heading_control_stiffness",
    "rel_standing_envs",
    "rel_heading_envs",
    "rel_turning_envs",
    "ranges",
)
_TERRAIN_FIELDS = ("num_rows", "num_cols", "difficulty_range", "sub_terrains")
_SUB_TERRAIN_OWN = ("size", "flat_patch_sampling", "horizontal_scale", "vertical_scale", "slope_threshold")
_ENTITY_FIELDS = ("body_names", "joint_names")
_AGENT_FIELDS = (
    "num_steps_per_env",
    "save_interval",
    "init_at_random_ep_len",
    "clip_actions",
    "actor",
    "critic",
    "algorithm",
)
_MODEL_FIELDS = (
    "hidden_dims",
    "activation",
    "obs_normalization",
    "distribution_cfg",
    "latent_dim",
    "prototypes",
    "encoder_hidden_dims",
    "successor_hidden_dims",
    "temperature",
)
_ALGORITHM_SKIPPED = ("class_name", "rnd_cfg", "symmetry_cfg", "share_cnn_encoders", "optimizer")


@dataclass(frozen=True)
class Parameter:
    """One value that may be overridden."""

    name: str
    type: str
    """``float``, ``int``, ``bool``, ``str``, ``list`` or ``term``."""
    value: Any
    set: Callable[[Any], None]
    nullable: bool = False
    item: str | None = None
    """Type of a list's items."""
    length: int | None = None
    """Length of a list that must keep it."""


def parameters(env: Any, agent: Any) -> dict[str, Parameter]:
    """Every parameter of a task's two configuration objects, in the order in which they stand there."""
    found = [*_choosers(env, agent), *_environment(env), *_runner(agent)]
    return {parameter.name: parameter for parameter in found}


def apply(env: Any, agent: Any, overrides: dict[str, Any]) -> None:
    """Set ``overrides`` on the two configuration objects, which they then are no longer the task's defaults.

    Raises:
        ConfigurationError: An unknown name, a value of the wrong type or length, or a value below a removed term.
    """
    known = parameters(env, agent)
    values = {}
    for name, value in overrides.items():
        if name in RESERVED:
            raise ConfigurationError(f"{name!r} is not an override: set {RESERVED[name]!r} of the plan or the run")
        if name not in known:
            raise ConfigurationError(f"the task has no parameter {name!r}.{did_you_mean(name, known)}")
        values[name] = check(known[name], value)
    removed = [name for name, value in values.items() if value is None and known[name].type == TERM]
    for name in values:
        above = next((term for term in removed if name.startswith(f"{term}.")), None)
        if above:
            raise ConfigurationError(f"{name!r} is set and {above!r} is removed; drop one of the two")
    observation_sets.check(values)
    # What chooses many values goes first, so that a value of its own still counts.
    for name in sorted(values, key=lambda name: name not in CHOOSERS):
        known[name].set(values[name])


def check(parameter: Parameter, value: Any) -> Any:
    """``value`` in the type that the configuration holds.

    Raises:
        ConfigurationError: It has the wrong type or length, or is not finite.
    """
    if value is None:
        if parameter.nullable:
            return None
        raise ConfigurationError(f"{parameter.name!r} cannot be null; it takes {_described(parameter)}")
    if parameter.type == TERM:
        raise ConfigurationError(f"{parameter.name!r} is a whole term: it can only be null, which removes it")
    if parameter.type != "list":
        return _scalar(parameter, parameter.type, value)
    if not isinstance(value, list | tuple):
        raise ConfigurationError(f"{parameter.name!r} takes {_described(parameter)}, not {value!r}")
    if parameter.length is not None and len(value) != parameter.length:
        raise ConfigurationError(f"{parameter.name!r} takes {_described(parameter)}, not {len(value)} values")
    items = [_scalar(parameter, parameter.item or "float", item) for item in value]
    return tuple(items) if isinstance(parameter.value, tuple) else items


def _scalar(parameter: Parameter, kind: str, value: Any) -> Any:
    wrong = ConfigurationError(f"{parameter.name!r} takes {_described(parameter)}, not {value!r}")
    if kind == "bool":
        if isinstance(value, bool):
            return value
        raise wrong
    if kind == "str":
        if isinstance(value, str):
            return value
        raise wrong
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise wrong
    if kind == "int":
        if int(value) != value:
            raise wrong
        return int(value)
    return float(value)


def _described(parameter: Parameter) -> str:
    if parameter.type == "list":
        count = "" if parameter.length is None else f"{parameter.length} "
        return f"a list of {count}values of type {parameter.item}"
    return {"int": "a whole number", "float": "a finite number", "bool": "true or false", "str": "a text"}[
        parameter.type
    ] + (" or null" if parameter.nullable else "")


def _choosers(env: Any, agent: Any) -> Iterator[Parameter]:
    yield Parameter("env.reward_preset", "str", env.reward_preset, _choose_rewards(env))
    if env.scene.terrain.terrain_generator is not None:
        yield Parameter("env.terrain_set", "str", env.terrain_set, _choose_terrains(env))
    yield Parameter("env.randomization", "str", env.randomization, _choose_randomization(env))
    if env.observations.critic is None:  # else the task itself fixes what each sees
        choose = partial(observation_sets.choose, env, agent)
        yield Parameter("env.observation_set", "str", env.observation_set, choose)


def _environment(env: Any) -> Iterator[Parameter]:
    yield from _leaf("env.episode_length_s", env, "episode_length_s")
    yield from _leaf("env.decimation", env, "decimation")
    yield from _leaf("env.sim.dt", env.sim, "dt")
    solver = getattr(env.sim.physics, "solver_cfg", None)
    for name in ("njmax", "nconmax"):  # what the watchdog names where contacts or constraints have no room
        if hasattr(solver, name):
            yield from _leaf(f"env.sim.physics.solver_cfg.{name}", solver, name)
    for group in _TERM_GROUPS:
        terms = getattr(env, group)
        for name in _fields(terms):
            if name not in _KEPT_TERMS:
                yield from _term(f"env.{group}.{name}", terms, name)
    policy = env.observations.policy
    yield from _leaf("env.observations.policy.enable_corruption", policy, "enable_corruption")
    for name in _fields(policy):
        if hasattr(getattr(policy, name), "func"):
            yield _whole(f"env.observations.policy.{name}", policy, name)
            term = getattr(policy, name)
            if term.noise is not None:
                yield from _walk(f"env.observations.policy.{name}.noise", term.noise, ("n_min", "n_max"))
            yield from _walk(f"env.observations.policy.{name}", term, ("clip",))
    yield from _walk("env.actions.joint_pos", env.actions.joint_pos, ("scale",))
    yield from _walk("env.commands.base_velocity", env.commands.base_velocity, _COMMAND_FIELDS)
    terrain = env.scene.terrain
    if terrain.terrain_generator is not None:
        yield from _leaf("env.scene.terrain.max_init_terrain_level", terrain, "max_init_terrain_level", "int")
        generator = terrain.terrain_generator
        prefix = "env.scene.terrain.terrain_generator"
        yield from _walk(prefix, generator, _TERRAIN_FIELDS[:-1])
        for name, sub_terrain in generator.sub_terrains.items():
            yield _whole(f"{prefix}.sub_terrains.{name}", generator.sub_terrains, name)
            fields = [field for field in _fields(sub_terrain) if field not in _SUB_TERRAIN_OWN]
            yield from _walk(f"{prefix}.sub_terrains.{name}", sub_terrain, fields)


def _choose_rewards(env: Any) -> Callable[[str], None]:
    def choose(name: str) -> None:
        presets.choose(env.rewards, name)
        env.reward_preset = name

    return choose


def _choose_terrains(env: Any) -> Callable[[str], None]:
    def choose(name: str) -> None:
        sets.choose(env.scene.terrain.terrain_generator.sub_terrains, name)
        env.terrain_set = name

    return choose


def _choose_randomization(env: Any) -> Callable[[str], None]:
    def choose(name: str) -> None:
        randomization.choose(env, name)
        env.randomization = name

    return choose


def _runner(agent: Any) -> Iterator[Parameter]:
    for name in _AGENT_FIELDS:
        value = getattr(agent, name)
        if name in ("actor", "critic"):
            yield from _walk(f"agent.{name}", value, _MODEL_FIELDS)
        elif name == "algorithm":
            fields = [field for field in _fields(value) if field not in _ALGORITHM_SKIPPED]
            yield from _walk("agent.algorithm", value, fields)
            choose = partial(symmetry.choose, value)
            yield Parameter("agent.algorithm.symmetry", "str", symmetry.chosen(value), choose)
        else:
            yield from _leaf(f"agent.{name}", agent, name, "float")


def _term(name: str, owner: Any, field: str) -> Iterator[Parameter]:
    term = getattr(owner, field)
    if term is None:
        return
    yield _whole(name, owner, field)
    yield from _walk(name, term, _TERM_FIELDS)


def _whole(name: str, owner: Any, field: str) -> Parameter:
    def remove(_: Any) -> None:
        if isinstance(owner, dict):
            del owner[field]
        else:
            setattr(owner, field, None)

    return Parameter(name, TERM, None, remove, nullable=True)


def _walk(name: str, owner: Any, fields: Any) -> Iterator[Parameter]:
    for field in fields:
        if isinstance(owner, dict) or hasattr(owner, field):
            yield from _leaf(f"{name}.{field}", owner, field)


def _leaf(name: str, owner: Any, field: str, none_type: str | None = None) -> Iterator[Parameter]:
    """The parameter at a field, or those below it; a field that is None counts only where its type is told."""
    value = owner[field] if isinstance(owner, dict) else getattr(owner, field)

    def assign(new: Any) -> None:
        if isinstance(owner, dict):
            owner[field] = new
        else:
            setattr(owner, field, new)

    kind = _kind(value)
    if kind == "list":
        kinds = {_kind(item) for item in value}
        if kinds <= {"int", "float"} and kinds:
            item = "int" if kinds == {"int"} else "float"
        elif kinds == {"str"}:
            item = "str"
        else:
            return
        fixed = isinstance(value, tuple)
        yield Parameter(name, "list", value, assign, item=item, length=len(value) if fixed else None)
    elif kind is not None:
        nullable = none_type is not None and kind != "bool" and field in ("max_init_terrain_level", "clip_actions")
        yield Parameter(name, kind, value, assign, nullable=nullable)
    elif value is None:
        if none_type is not None:
            yield Parameter(name, none_type, None, assign, nullable=True)
    elif hasattr(value, "body_names"):
        # Of a scene entity only the choice of bodies and joints is a parameter; the rest belongs to the managers.
        for entity_field in _ENTITY_FIELDS:
            if isinstance(getattr(value, entity_field), str):
                yield from _leaf(f"{name}.{entity_field}", value, entity_field)
    elif isinstance(value, dict):
        if all("." not in str(key) for key in value):
            yield from _walk(name, value, [key for key in value if key != "command_name"])
    elif hasattr(value, "__dataclass_fields__"):
        yield from _walk(name, value, [field for field in _fields(value) if field not in ("class_name", "func")])


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return None if ":" in value or "{" in value else "str"
    return "list" if isinstance(value, list | tuple) else None


def _fields(value: Any) -> list[str]:
    return list(value.__dataclass_fields__)
