"""The fixed evaluation: the same commands, seeds, terrains and rules for every policy."""

from wavebook_locomotion.evaluation.evaluate import evaluate
from wavebook_locomotion.evaluation.protocol import PROTOCOL, Protocol

__all__ = ["PROTOCOL", "Protocol", "evaluate"]
