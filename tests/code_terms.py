"""Reward terms as agents would send them."""

from __future__ import annotations

PITCH = """\
import torch


def pitch_rate(env, asset_cfg):
    \"\"\"Penalise pitching, the square of the base's pitch rate [rad^2/s^2].\"\"\"
    return torch.square(env.scene[asset_cfg.name].data.root_ang_vel_b.torch[:, 1])
"""

PITCH_RATE = {
    "name": "pitch_rate",
    "source": PITCH,
    "weight": -0.1,
    "params": {"asset_cfg": {"entity": "robot"}},
}
"""A penalty on pitching that trains."""

WRONG_SHAPE = {
    "name": "too_wide",
    "source": "def too_wide(env):\n    return env.scene['robot'].data.root_ang_vel_b.torch[:, 1:2]\n",
    "weight": 1.0,
}
"""One that Isaac Lab would broadcast without a word where there is one environment, and that fails the preflight."""
