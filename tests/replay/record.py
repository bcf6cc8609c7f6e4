"""Makes rough.json, the replay that the tests show: a real policy on real ground.

    python -m tests.replay.record RUN_FOLDER

RUN_FOLDER holds a run of Wavebook-Velocity-Quick-DHAV1, as ``make demo`` leaves them. Its policy never saw anything but
flat ground and has no eyes; here it walks over all six terrains.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from wavebook_locomotion import configuration, evaluation
from wavebook_locomotion.checkpoints import iteration_of
from wavebook_locomotion.replay import ReplayRecorder

QUICK = "Wavebook-Velocity-Quick-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"
POLICY = ("actor.hidden_dims", "critic.hidden_dims", "actor.obs_normalization", "critic.obs_normalization")


def main(run: Path, path: Path) -> None:
    checkpoint = max((run / "checkpoints").glob("model_*.pt"), key=iteration_of)
    quick = configuration.load(QUICK, num_envs=1, seed=0)
    overrides: dict[str, object] = {
        "env.observations.policy.height_scan": None,
        "env.actions.joint_pos.scale": quick.env.actions.joint_pos.scale,
    }
    for name in POLICY:
        value = quick.agent
        for part in name.split("."):
            value = getattr(value, part)
        overrides[f"agent.{name}"] = value
    config = configuration.load(ROUGH, overrides, num_envs=30, seed=0)
    recorder = ReplayRecorder(seconds=3.0, robots=3, title="exp001/s0")
    evaluation.evaluate(config, checkpoint, num_envs=30, seconds=3.0, recorder=recorder)
    path.write_text(json.dumps(recorder.document(), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("rough.json"))
