"""A policy as files that run without Isaac Lab: ``policy.onnx`` and ``policy.pt`` (TorchScript).

On the command line: ``python -m wavebook_locomotion.export CHECKPOINT FOLDER`` with the run's configuration as JSON on
standard input; it prints what `export` returns.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from wavebook_locomotion.configuration import TaskConfig, load
from wavebook_locomotion.errors import ConfigurationError

TOLERANCE = 1.0e-4
"""Largest difference of an action that counts as the same; actions are of the order of 1."""


def export(config: TaskConfig, checkpoint: Path, folder: Path, *, steps: int = 20) -> dict[str, Any]:
    """Write the policy of ``checkpoint`` as ONNX and TorchScript, and check both against it.

    The check drives the task's robots with the policy and gives every observation to all three.

    Args:
        config: The run's configuration.
        checkpoint: Written by `wavebook_locomotion.training.train`.
        folder: Where the files go; made where it is missing.
        steps: Steps of the check.

    Returns:
        ``onnx`` and ``torchscript``, the files; ``observations``, how many were compared; ``observation_size`` and
        ``action_size``; ``onnx_difference`` and ``torchscript_difference``, the largest of any action.

    Raises:
        ConfigurationError: There is no such checkpoint, or an exported policy acts otherwise.
    """
    if not checkpoint.is_file():
        raise ConfigurationError(f"there is no checkpoint {checkpoint}")

    import torch
    from onnx.reference import ReferenceEvaluator

    from wavebook_locomotion.learner import make_runner
    from wavebook_locomotion.simulation import open_environment

    with open_environment(config) as env:
        runner = make_runner(env, config)
        runner.load(str(checkpoint), load_cfg={"actor": True}, map_location=config.device)
        policy = runner.get_inference_policy(device=config.device)
        with contextlib.redirect_stdout(sys.stderr):  # the exporters print their progress
            runner.export_policy_to_jit(str(folder))
            runner.export_policy_to_onnx(str(folder))
        files = {"onnx": folder / "policy.onnx", "torchscript": folder / "policy.pt"}
        script, onnx = torch.jit.load(str(files["torchscript"])), ReferenceEvaluator(str(files["onnx"]))
        (name,) = onnx.input_names
        largest = dict.fromkeys(files, 0.0)
        compared = 0
        with torch.inference_mode():
            observations = runner.env.get_observations()
            for _ in range(steps):
                actions = policy(observations)
                seen = torch.cat([observations[group] for group in policy.obs_groups], dim=-1).cpu()
                # The exported network takes one observation at a time.
                rows = [onnx.run(None, {name: row[None].numpy()})[0] for row in seen]
                for kind, given in {
                    "torchscript": script(seen),
                    "onnx": torch.cat([torch.as_tensor(row) for row in rows]),
                }.items():
                    largest[kind] = max(largest[kind], float((given - actions.cpu()).abs().max()))
                compared += len(seen)
                observations, *_ = runner.env.step(actions)
    for kind, difference in largest.items():
        if not difference <= TOLERANCE:
            raise ConfigurationError(f"the {kind} policy's actions differ from the run's by up to {difference:g}")
    return {
        **{kind: str(path) for kind, path in files.items()},
        "observations": compared,
        "observation_size": seen.shape[1],
        "action_size": actions.shape[1],
        **{f"{kind}_difference": difference for kind, difference in largest.items()},
    }


def main() -> int:
    """Export a run's policy; 0 done, 1 it did not work."""
    parser = argparse.ArgumentParser(prog="python -m wavebook_locomotion.export")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    words = parser.parse_args()
    run = json.load(sys.stdin)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            config = load(run["task"], run["overrides"], num_envs=4, seed=run["seed"], device="cpu")
            found = export(config, words.checkpoint, words.folder)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
