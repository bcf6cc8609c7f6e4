"""Uses of the mirror symmetry in PPO, by name."""

from __future__ import annotations

from typing import Any

from wavebook_locomotion.errors import check_choice

NONE = "none"

MIRRORED = "wavebook_locomotion.symmetry.mirror:mirrored"
"""rsl_rl's name of the function that mirrors."""

PRESETS: dict[str, dict[str, Any]] = {
    "augmentation": {"use_data_augmentation": True},
    "loss": {"use_mirror_loss": True, "mirror_loss_coeff": 0.5},
    "both": {"use_data_augmentation": True, "use_mirror_loss": True, "mirror_loss_coeff": 0.5},
    "measured": {},
}
"""What each sets in rsl_rl's ``symmetry_cfg``. The loss's coefficient is our choice."""


def names() -> list[str]:
    """What a use of the symmetry can be called."""
    return [NONE, *PRESETS]


def chosen(algorithm: Any) -> str:
    """The name of what an ``RslRlPpoAlgorithmCfg`` does, ``none`` where it does nothing."""
    if algorithm.symmetry_cfg is None:
        return NONE
    use = (algorithm.symmetry_cfg.use_data_augmentation, algorithm.symmetry_cfg.use_mirror_loss)
    return next(
        name
        for name, preset in PRESETS.items()
        if use == (preset.get("use_data_augmentation", False), preset.get("use_mirror_loss", False))
    )


def choose(algorithm: Any, name: str) -> None:
    """Let an ``RslRlPpoAlgorithmCfg`` use the symmetry as ``name`` says.

    Raises:
        ConfigurationError: There is no such use; the message names the nearest.
    """
    check_choice("use of the symmetry", name, names())
    if name == NONE:
        algorithm.symmetry_cfg = None
        return

    from isaaclab_rl.rsl_rl import RslRlSymmetryCfg

    algorithm.symmetry_cfg = RslRlSymmetryCfg(data_augmentation_func=MIRRORED, **PRESETS[name])
