"""Replays: an evaluated rollout in three dimensions, in a notebook and as a page that opens without a network."""

from wavebook_tools.replay.document import Replay
from wavebook_tools.replay.notebook import REPLAY_MIME, ReplayOutput, keep_replay
from wavebook_tools.replay.page import page, write_page

__all__ = ["REPLAY_MIME", "Replay", "ReplayOutput", "keep_replay", "page", "write_page"]
