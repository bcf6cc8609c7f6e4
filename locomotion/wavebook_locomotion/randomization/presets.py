"""Domain randomisation by name. A preset replaces all of the task's randomisation, so that presets can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wavebook_locomotion.errors import check_choice

OWN = "own"
"""The randomisation that stands in the task itself."""

EVENTS = (
    "physics_material",
    "friction",
    "add_base_mass",
    "link_mass",
    "base_com",
    "actuator_gains",
    "actuator_delay",
    "base_external_force_torque",
    "push_robot",
)
"""The events that make robots differ. The others place them at the start of an episode."""


@dataclass(frozen=True)
class Preset:
    """Ranges; None leaves a thing nominal."""

    about: str
    friction: tuple[float, float] | None = None
    """Coefficient of friction between robot and ground."""
    base_mass: tuple[float, float] | None = None
    """Mass added to the base [kg]."""
    link_mass: tuple[float, float] | None = None
    """Factor of each other body's mass."""
    base_com: float | None = None
    """Largest shift of the base's centre of mass along each axis [m]."""
    gains: tuple[float, float] | None = None
    """Factor of the stiffness and the damping of each joint."""
    delay: int | None = None
    """Longest time from a command to its motors, in steps of the physics."""
    push: float | None = None
    """Largest change of the velocity along x and y by a push [m/s]."""
    push_interval: tuple[float, float] = (10.0, 15.0)
    """Time from one push to the next [s]."""


PRESETS: dict[str, Preset] = {
    "none": Preset("Every robot is nominal and none is pushed."),
    "light": Preset(
        "About half of lite3's ranges; our choice for a first policy.",
        friction=(0.6, 1.0),
        base_mass=(-0.5, 1.5),
        base_com=0.02,
        gains=(0.95, 1.05),
        delay=2,
        push=0.3,
    ),
    "lite3": Preset(
        "The ranges of DeepRobotics for Lite3 (rl_training).",
        friction=(0.3, 1.0),
        base_mass=(-1.0, 3.0),
        link_mass=(0.85, 1.15),
        base_com=0.05,
        gains=(0.85, 1.15),
        delay=5,
        push=0.5,
    ),
}


def names() -> list[str]:
    """What a randomisation can be called."""
    return [OWN, *PRESETS]


def choose(env: Any, name: str) -> None:
    """Replace the randomisation of a task by a preset; ``own`` leaves it as it is.

    Args:
        env: Isaac Lab's ``ManagerBasedRLEnvCfg``.
        name: Of the preset.

    Raises:
        ConfigurationError: There is no such preset; the message names the nearest.
    """
    if name == OWN:
        return
    check_choice("randomisation", name, names())
    from wavebook_locomotion.randomization.delay import delay

    nominal(env.events)
    preset = PRESETS[name]
    for event, term in _terms(preset).items():
        setattr(env.events, event, term)
    if preset.delay is not None:
        delay(env.scene.robot, preset.delay)


def nominal(events: Any) -> None:
    """Remove all randomisation but the friction of the task's own material, which is one value."""
    for event in EVENTS:
        if event != "physics_material":
            setattr(events, event, None)


def _terms(preset: Preset) -> dict[str, Any]:
    from isaaclab.managers import EventTermCfg, SceneEntityCfg
    from isaaclab_tasks.core.velocity import mdp

    terms = {}
    if preset.friction is not None:
        terms["friction"] = EventTermCfg(
            func="wavebook_locomotion.randomization.friction:random_friction",
            mode="startup",
            params={"friction_range": preset.friction},
        )
    masses = {
        "add_base_mass": ("base", preset.base_mass, "add"),
        "link_mass": (".*_(hip|thigh|shank|foot)", preset.link_mass, "scale"),
    }
    for event, (bodies, limits, operation) in masses.items():
        if limits is not None:
            terms[event] = EventTermCfg(
                func=mdp.randomize_rigid_body_mass,
                mode="startup",
                params={
                    "asset_cfg": SceneEntityCfg("robot", body_names=bodies),
                    "mass_distribution_params": limits,
                    "operation": operation,
                },
            )
    if preset.base_com is not None:
        shift = (-preset.base_com, preset.base_com)
        terms["base_com"] = EventTermCfg(
            func=mdp.randomize_rigid_body_com,
            mode="startup",
            params={
                "asset_cfg": SceneEntityCfg("robot", body_names="base"),
                "com_range": {"x": shift, "y": shift, "z": shift},
            },
        )
    if preset.gains is not None:
        terms["actuator_gains"] = EventTermCfg(
            func=mdp.randomize_actuator_gains,
            mode="startup",
            params={
                "asset_cfg": SceneEntityCfg("robot", joint_names=".*"),
                "stiffness_distribution_params": preset.gains,
                "damping_distribution_params": preset.gains,
                "operation": "scale",
            },
        )
    if preset.delay is not None:
        terms["actuator_delay"] = EventTermCfg(
            func="wavebook_locomotion.randomization.delay:random_delay",
            mode="startup",
            params={"delay_range": (0, preset.delay)},
        )
    if preset.push is not None:
        speed = (-preset.push, preset.push)
        terms["push_robot"] = EventTermCfg(
            func=mdp.push_by_setting_velocity,
            mode="interval",
            interval_range_s=preset.push_interval,
            params={"velocity_range": {"x": speed, "y": speed}},
        )
    return terms
