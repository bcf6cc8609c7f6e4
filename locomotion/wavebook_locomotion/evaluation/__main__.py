"""Judges a run's policy by the protocol on the processor.

    python -m wavebook_locomotion.evaluation CHECKPOINT --num-envs 100 --seconds 20 < RUN

``RUN`` is a JSON object with a run's ``task``, ``overrides`` and ``seed``. Each line of the output is one, too:
``{"progress": 0.05}`` as it goes on, at last ``{"result": {...}}``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from wavebook_locomotion.configuration import load
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.evaluation.evaluate import evaluate
from wavebook_locomotion.evaluation.protocol import PROTOCOL


def main() -> int:
    """Read the command line; 0 done, 1 it did not work."""
    parser = argparse.ArgumentParser(prog="python -m wavebook_locomotion.evaluation", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--num-envs", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--terrain-set", default=PROTOCOL.terrain_set)
    words = parser.parse_args()
    sys.argv = sys.argv[:1]  # the simulator's launcher reads the command line as well
    run = json.load(sys.stdin)
    told = sys.stdout

    def tell(**line: object) -> None:
        print(json.dumps(line), file=told, flush=True)

    try:
        with contextlib.redirect_stdout(sys.stderr):
            config = load(run["task"], run["overrides"], num_envs=words.num_envs, seed=run["seed"], device="cpu")
            result = evaluate(
                config,
                words.checkpoint,
                num_envs=words.num_envs,
                seconds=words.seconds,
                terrain_set=words.terrain_set,
                on_progress=lambda share: tell(progress=round(share, 4)),
            )
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    tell(result=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
