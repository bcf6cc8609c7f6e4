"""Carries a plan of this folder out on the machine at hand, in steps that each end in time. See README.md.

    python campaign/campaign.py start screen --within 10
    python campaign/campaign.py wait --minutes 9
    python campaign/campaign.py keep kept/screen

It calls the ``wavebook`` command and nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from checkout import environment

HERE = Path(__file__).resolve().parent
FINAL = {"done", "failed", "hung", "cancelled"}
DIRECTIVE = "Learn faster and track the velocity better, 3 experiments"
STILL_RUNNING = 3
"""Exit code of ``wait`` when its time is over and runs go on."""

BESIDE_TRAINING = 4.0
"""Minutes of a run that are not iterations: opening, compiling, the evaluation's three rollouts."""


def wavebook(*words: str, project: Path) -> Any:
    """A command's JSON document; its error ends this program."""
    command = [sys.executable, "-m", "wavebook", *words, "--json"]
    variables = environment(project / "checkout")
    command += ["--project", str(project)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=variables)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def start(options: argparse.Namespace) -> int:
    """Measure, plan and start; the runs go on without this program."""
    plan = json.loads((HERE / "plans" / f"{options.plan}.json").read_text(encoding="utf-8"))
    options.project.mkdir(parents=True, exist_ok=True)
    if not (options.project / "wavebook.toml").exists():
        shutil.copyfile(HERE / "wavebook.toml", options.project / "wavebook.toml")
    for name in ("iterations", "num_envs"):
        if (value := getattr(options, name)) is not None:
            plan[name] = value
    for name in ("num_envs", "seconds"):
        if (value := getattr(options, f"evaluation_{name}")) is not None:
            plan["evaluation"][name] = value
    if options.seeds is not None:
        for experiment in plan["experiments"]:
            experiment["seeds"] = experiment["seeds"][: options.seeds]
    plan["overrides"].update(json.loads(options.set))
    plan["created"] = time.time()
    if options.within is not None:
        plan["iterations"] = fitting(plan, options)
    numbered(plan, options.project)
    written = options.project / f"plan-{plan['slug']}.json"
    written.write_text(json.dumps(plan, indent=2), encoding="utf-8")
    proposed = wavebook("plan", "--from", str(written), project=options.project)
    wavebook("run", str(proposed["id"]), "--gpus", options.devices, project=options.project)
    print(f"wave {proposed['id']}: {plan['iterations']} iterations with {plan['num_envs']} robots", flush=True)
    return 0


def fitting(plan: dict[str, Any], options: argparse.Namespace) -> int:
    """As many of the plan's iterations as end within the minutes given, by what an iteration takes on this machine."""
    began = time.monotonic()
    device = "cpu" if options.devices == "cpu" else "cuda:0"
    words = ["bench", "train", "--task", plan["task"], "--num-envs", str(plan["num_envs"]), "--device", device]
    command = [sys.executable, "-m", "wavebook", *words, "--iterations", str(options.measured_iterations), "--json"]
    variables = environment(options.project / "checkout")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=variables)
    if done.returncode != 0:
        print("the measurement failed; the plan keeps its iterations", file=sys.stderr)
        return int(plan["iterations"])
    (options.project / f"bench-{plan['slug']}.json").write_text(done.stdout, encoding="utf-8")
    ours = json.loads(done.stdout)["ours"]
    seconds = ours["iteration_seconds"]["median"]
    runs = sum(len(experiment["seeds"]) for experiment in plan["experiments"])
    turns = math.ceil(runs / max(1, len(options.devices.split(","))))
    left = 60.0 * (options.within / turns - BESIDE_TRAINING) - (time.monotonic() - began) / turns
    found = max(1, min(plan["iterations"], int(left / seconds)))
    print(f"{ours['env_steps_per_second']:.0f} steps/s, {seconds:.3f} s an iteration: {found} of {plan['iterations']}")
    return found


def numbered(plan: dict[str, Any], project: Path) -> None:
    """Count the plan's wave and experiments on through the project."""
    plans = [json.loads(path.read_text(encoding="utf-8")) for path in project.glob("waves/*/wave.json")]
    first = 1 + sum(len(known["experiments"]) for known in plans)
    plan["id"] = 1 + max((known["id"] for known in plans), default=0)
    for number, experiment in enumerate(plan["experiments"], start=first):
        experiment["id"] = f"exp{number:03d}"


def wait(options: argparse.Namespace) -> int:
    """Tell where the runs stand until all have ended or the time is over."""
    end = time.monotonic() + 60.0 * options.minutes
    while True:
        waves = wavebook("status", project=options.project)["waves"]
        runs = [run for wave in waves for run in wave["runs"]]
        told = ", ".join(f"{run['id']} {run['state']} {run['iteration']}/{run['iterations']}" for run in runs)
        print(told, flush=True)
        night = wavebook("night", "status", project=options.project)["night"]
        goes_on = night is not None and night["state"] != "ended"
        if goes_on:
            print(f"night: {night['doing']}", flush=True)
        elif all(run["state"] in FINAL for run in runs):
            return 0 if all(run["state"] == "done" for run in runs) else 1
        if time.monotonic() > end:
            return STILL_RUNNING
        time.sleep(options.every)


def night(options: argparse.Namespace) -> int:
    """Begin a night of the offline planner: one directive, then wave after wave without a person."""
    options.project.mkdir(parents=True, exist_ok=True)
    if not (options.project / "wavebook.toml").exists():
        shutil.copyfile(HERE / "night.toml", options.project / "wavebook.toml")
    limits = ["--waves", str(options.waves), "--runs", str(options.runs), "--hours", str(options.within / 60)]
    wavebook("night", options.directive, *limits, project=options.project)
    return 0


def keep(options: argparse.Namespace) -> int:
    """Keep all waves as a record, and append them to the table of runs."""
    words = ["keep", "--to", str(options.target), "--limit-mb", str(options.limit_mb)]
    words += ["--points", str(options.points), "--policies", options.policies]
    if options.table is not None:
        words += ["--table", str(options.table)]
    kept = wavebook(*words, project=options.project)
    for measured in options.project.glob("bench-*.json"):
        shutil.copyfile(measured, options.target / measured.name)
    print(f"{kept['path']}: {kept['bytes'] / 1e6:.1f} MB")
    return 0


def six_runs(options: argparse.Namespace) -> int:
    """Run the benchmark of job control on two GPUs; 1 where something did not end as it should."""
    options.project.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "wavebook", "bench", "six-runs", "--keep", str(options.target.resolve())]
    return subprocess.run(command, check=False, env=environment(options.project / "checkout")).returncode


def main() -> int:
    """Read the command line; 0 done, 1 a run failed, 3 runs go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path("campaign"))
    steps = parser.add_subparsers(required=True)
    one = steps.add_parser("start", help="start a plan's runs")
    one.add_argument("plan", choices=sorted(path.stem for path in (HERE / "plans").glob("*.json")))
    one.add_argument("--devices", default="0,1", help="indices with commas, auto or cpu")
    one.add_argument("--within", type=float, help="minutes for all runs: fewer iterations where they would not fit")
    one.add_argument("--measured-iterations", type=int, default=8, help="iterations that tell what one takes")
    one.add_argument("--iterations", type=int)
    one.add_argument("--num-envs", type=int)
    one.add_argument("--seeds", type=int, help="how many of the plan's seeds")
    one.add_argument("--evaluation-num-envs", type=int)
    one.add_argument("--evaluation-seconds", type=float)
    one.add_argument("--set", default="{}", help="further overrides, a JSON object")
    one.set_defaults(step=start)
    two = steps.add_parser("wait", help="follow the runs for a while")
    two.add_argument("--minutes", type=float, default=9.0)
    two.add_argument("--every", type=float, default=15.0, help="seconds between two looks")
    two.set_defaults(step=wait)
    three = steps.add_parser("keep", help="keep what came of it")
    three.add_argument("target", type=Path)
    three.add_argument("--table", type=Path, help="docs/experiments.md")
    three.add_argument("--points", type=int, default=300, help="iterations of each curve")
    three.add_argument("--policies", choices=["all", "best", "none"], default="all")
    three.add_argument("--limit-mb", type=float, default=12.0)
    three.set_defaults(step=keep)
    four = steps.add_parser("six-runs", help="wavebook bench six-runs, with its record")
    four.add_argument("target", type=Path)
    four.set_defaults(step=six_runs)
    five = steps.add_parser("night", help="wave after wave by the offline planner, from one directive")
    five.add_argument("directive", nargs="?", default=DIRECTIVE)
    five.add_argument("--waves", type=int, default=4)
    five.add_argument("--runs", type=int, default=8, help="of each wave")
    five.add_argument("--within", type=float, default=15.0, help="minutes after which the night ends")
    five.set_defaults(step=night)
    options = parser.parse_args()
    options.project = options.project.resolve()
    return int(options.step(options))


if __name__ == "__main__":
    sys.exit(main())
