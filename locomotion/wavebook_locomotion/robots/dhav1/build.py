"""Writes DHAV1's assets from its numbers: ``python -m wavebook_locomotion.robots.dhav1.build``."""

from __future__ import annotations

from pathlib import Path

from wavebook_locomotion.robots.dhav1.model import dhav1

ASSETS = Path(__file__).parent / "assets"


def asset_texts() -> dict[str, str]:
    """The assets' file names and what they hold."""
    from wavebook_locomotion.robots.dhav1.urdf import urdf_text
    from wavebook_locomotion.robots.dhav1.usd import plane_text, robot_text

    model = dhav1()
    return {"dhav1.urdf": urdf_text(model), "dhav1.usda": robot_text(model), "plane.usda": plane_text()}


def main() -> None:
    """Write every asset and say which."""
    ASSETS.mkdir(exist_ok=True)
    for name, text in asset_texts().items():
        (ASSETS / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
