"""``python -m wavebook_locomotion.slim MODEL TARGET``: a checkpoint's policy alone, a fifth of its size.

What it leaves can be evaluated and exported; a training cannot go on from it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wavebook_locomotion.checkpoints import write_whole


def slim(model: Path, target: Path) -> None:
    """Write the policy of a checkpoint, without its critic and optimisers.

    Args:
        model: Written by `wavebook_locomotion.training.train`.
        target: The file to write.
    """
    import torch

    saved = torch.load(model, map_location="cpu", weights_only=True)
    kept = {name: saved[name] for name in ("actor_state_dict", "iter", "infos")}
    write_whole(target, lambda path: torch.save(kept, path))


if __name__ == "__main__":
    slim(Path(sys.argv[1]), Path(sys.argv[2]))
