"""A replay as the output of a notebook's cell, and as a file in the run's folder."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from IPython.display import display

from wavebook_tools.display.svg import Panel, Series, curves_image
from wavebook_tools.records.files import write_atomic
from wavebook_tools.records.project import RunRecord
from wavebook_tools.replay.document import FILE, Replay

REPLAY_MIME = "application/vnd.wavebook.replay+json"
"""MIME type of a replay: ``{"item": JSON text of the document}``. Wavebook's extension shows it, without a network."""

PICTURED = 4


def keep_replay(record: RunRecord, document: dict[str, Any]) -> ReplayOutput:
    """Write a recorded rollout into the run's folder, and show it as the value of a cell.

    Args:
        record: The run.
        document: What `wavebook_locomotion.replay.ReplayRecorder.document` gives.

    Raises:
        WavebookError: The folder cannot be written.
        ValueError: It is no such document.
    """
    replay = Replay.model_validate(document)
    write_atomic(record.path / FILE, replay.model_dump_json() + "\n")
    return ReplayOutput(replay)


class ReplayOutput:
    """A replay as the value of a cell; where it cannot be played, a picture of the velocities stands for it."""

    def __init__(self, replay: Replay) -> None:
        count = len(replay.robots)
        self.text = f"Replay of {replay.title}: {count} robot{'s' * (count != 1)}, {replay.seconds:.1f} s"
        self.bundle: dict[str, Any] = {
            # A text, because the notebook would otherwise be indented by every number's line.
            REPLAY_MIME: {"item": replay.model_dump_json()},
            "text/html": f"<p>{escape(self.text)}. It plays where Wavebook is installed; "
            f"<code>wavebook replay</code> writes it as a page.</p>{_picture(replay)}",
            "text/plain": self.text,
        }
        """The output's MIME bundle."""

    def _ipython_display_(self) -> None:
        display(self.bundle, raw=True)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return self.text


def _picture(replay: Replay) -> str:
    panels = []
    for motion in replay.robots[:PICTURED]:
        command, velocity = replay.velocities(motion)
        time = replay.step * np.arange(motion.frames, dtype=np.float64)
        # Of a turn on the spot nothing but the yaw rate tells.
        axis = int(np.argmax(np.abs(command).mean(axis=0)))
        quantity = ("forward velocity [m/s]", "velocity to the left [m/s]", "yaw rate [rad/s]")[axis]
        panels.append(
            Panel(
                f"{motion.command}: {quantity}",
                (
                    Series(time, command[:, axis], "#1f86c7", "command"),
                    Series(time, velocity[:, axis], "#2f9e55", "actual"),
                ),
            )
        )
    shown = ", ".join(motion.command for motion in replay.robots[:PICTURED])
    return curves_image(panels, x_title="time [s]", description=f"Commanded and actual velocity: {shown}")
