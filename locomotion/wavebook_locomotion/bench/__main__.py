"""Command line of the benchmarks."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wavebook_locomotion import configuration
from wavebook_locomotion.bench import settings, variants
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.tasks import velocity


@contextlib.contextmanager
def _own_stdout() -> Iterator[Callable[[str], None]]:
    """A function that prints a line; what the simulator and its compilers print goes to the error stream.

    They print to the descriptor itself, past `sys.stdout`.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield lambda line: _write(kept, line)
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _write(descriptor: int, line: str) -> None:
    data = f"{line}\n".encode()
    while data:
        data = data[os.write(descriptor, data) :]


def main(arguments: list[str] | None = None) -> int:
    """Run a benchmark and print what it measured; 0 when done, 2 for a wrong call."""
    parser = _parser()
    options = parser.parse_args(arguments)
    sys.argv = sys.argv[:1]  # the simulator's launcher reads the command line as well
    try:
        with _own_stdout() as tell:
            options.run(options, tell)
    except ConfigurationError as error:
        parser.error(str(error))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m wavebook_locomotion.bench")
    kinds = parser.add_subparsers(dest="benchmark", required=True)

    simulate = kinds.add_parser("simulate", help="environment steps a second with random actions")
    simulate.add_argument("--device", default="cpu")
    simulate.add_argument("--num-envs", type=_counted(), default=64)
    simulate.add_argument("--steps", type=_counted(), default=100)
    simulate.set_defaults(run=_simulate)

    train = kinds.add_parser("train", help="what an iteration costs, beside Isaac Lab's own training")
    _add_training(train, iterations=10, split=3)
    train.add_argument("--device", default="cpu")
    train.add_argument("--without-bare", action="store_true", help="leave Isaac Lab's own training out")
    train.add_argument("--mjlab", metavar="PYTHON", help="of an environment with mjlab, to train its Go1 beside")
    train.add_argument("--profile", type=Path, metavar="FILE", help="then write tables of what takes the time")
    train.set_defaults(run=_train)

    several = kinds.add_parser("variants", help="the same with one thing changed at a time, a line of JSON each")
    _add_training(several, iterations=6, split=2)
    several.add_argument("--device", action="append", dest="devices", help="may stand several times")
    several.add_argument("--only", default="", help=f"of {', '.join(variants.names())}; with commas")
    several.add_argument("--limit", type=float, default=240.0, help="longest time of a variant [s]")
    several.add_argument("--total", type=float, default=3600.0, help="time after which none is begun [s]")
    several.set_defaults(run=_variants)

    for kind in (simulate, train, several):
        kind.add_argument("--json", action="store_true", help="print JSON and nothing else")
    return parser


def _counted(least: int = 1) -> Callable[[str], int]:
    def count(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}, not {text}")
        return int(text)

    return count


def _add_training(parser: argparse.ArgumentParser, *, iterations: int, split: int) -> None:
    parser.add_argument("--task", default=velocity.ROUGH, help=", ".join(configuration.task_names()))
    parser.add_argument("--num-envs", type=_counted(), default=64)
    parser.add_argument("--iterations", type=_counted(2), default=iterations)
    parser.add_argument("--warm-up", type=_counted(), default=3)
    parser.add_argument("--split", type=_counted(0), default=split, help="iterations split by phase, 0 for none")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a field or a switch")


def _simulate(options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    from wavebook_locomotion.bench.simulation import measure

    document = measure(device=options.device, num_envs=options.num_envs, steps=options.steps)
    if options.json:
        tell(json.dumps(document))
        return
    for task, values in document["tasks"].items():
        tell(f"{task}: {values['env_steps_per_second']:.0f} env steps/s with {document['num_envs']} robots")


def _train(options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    from wavebook_locomotion.bench.training import measure

    def prepare() -> settings.Prepared:
        return settings.prepare(
            options.task,
            settings.parse(options.set),
            num_envs=options.num_envs,
            device=options.device,
            iterations=options.iterations,
        )

    document = measure(
        prepare(),
        iterations=options.iterations,
        warm_up=options.warm_up,
        split=options.split,
        bare=not options.without_bare,
        mjlab=options.mjlab,
    )
    tell(json.dumps({**document, "set": settings.parse(options.set)}) if options.json else _table(document))
    if options.profile:
        from wavebook_locomotion.bench.profile import write_profile

        write_profile(prepare(), options.profile, warm_up=options.warm_up)


def _table(document: dict[str, Any]) -> str:
    line = variants.line_of(document)
    rows = [f"{name}: {value}" for name, value in line.items() if value is not None]
    if document["bare"]:
        rows.append(f"bare steps_per_second: {document['bare']['env_steps_per_second']:.0f}")
        rows.append(f"time over bare: {document['time_over_bare']:.3f}")
    if document["mjlab"]:
        rows.append(f"{document['mjlab']['task']} steps_per_second: {document['mjlab']['env_steps_per_second']:.0f}")
    return "\n".join(rows)


def _variants(options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    variants.measure(
        [name.strip() for name in options.only.split(",") if name.strip()],
        task=options.task,
        settings=settings.parse(options.set),
        num_envs=options.num_envs,
        iterations=options.iterations,
        warm_up=options.warm_up,
        split=options.split,
        devices=options.devices or ["cpu"],
        limit=options.limit,
        total=options.total,
        tell=lambda line: tell(json.dumps(line)),
    )


if __name__ == "__main__":
    sys.exit(main())
