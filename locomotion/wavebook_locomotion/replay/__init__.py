"""Recording of an evaluated rollout, as a document that Wavebook's replay draws in three dimensions."""

from wavebook_locomotion.replay.recorder import ReplayRecorder

__all__ = ["ReplayRecorder"]
