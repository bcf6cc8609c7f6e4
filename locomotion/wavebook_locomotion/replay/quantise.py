"""Numbers of a replay as whole numbers of 16 bits, in base64: a millimetre is seen by nobody."""

from __future__ import annotations

import base64

import numpy as np

LENGTH = 1.0e-3
"""Step of positions and heights [m], of speeds [m/s] and of yaw rates [rad/s]."""
ANGLE = 1.0e-4
"""Step of joint angles [rad]."""
ROTATION = 1.0 / 32767
"""Step of a quaternion's parts."""


def int16_text(values: np.ndarray, step: np.ndarray | float) -> str:
    """Base64 of ``values / step`` as little-endian 16-bit integers, row by row; what is out of range is clipped.

    Args:
        values: Finite numbers of any shape.
        step: The unit, a number or one for each of the last axis.
    """
    whole = np.clip(np.rint(values / step), -32768, 32767).astype("<i2")
    return base64.b64encode(whole.tobytes()).decode()


def uint8_text(values: np.ndarray) -> str:
    """Base64 of ``values``, whole numbers from 0 to 255, as bytes."""
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode()
