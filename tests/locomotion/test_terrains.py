"""Terrain sets, and the search for the sub-terrains that break a configuration."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

pytest.importorskip("isaaclab")

import torch

from wavebook_locomotion import configuration, description, inspection
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.simulation import open_environment
from wavebook_locomotion.terrains.bisection import bisect
from wavebook_locomotion.terrains.sets import SETS
from wavebook_locomotion.terrains.trial import Trial, main, only_sub_terrains, resets

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"
SUB_TERRAINS = "env.scene.terrain.terrain_generator.sub_terrains"
NAMES = tuple(SETS["full"])


def shares(**overrides: object) -> dict[str, float]:
    config = configuration.load(ROUGH, overrides, num_envs=2, seed=0)
    return {row["sub_terrain"]: round(row["proportion"], 3) for row in description.terrain(config)}


def test_a_set_chooses_the_ground() -> None:
    assert shares() == SETS["full"]
    assert shares(**{"env.terrain_set": "gentle"}) == SETS["gentle"]
    assert shares(**{"env.terrain_set": "flat"}) == {"plane": 1.0}
    assert shares() == SETS["full"]


def test_a_sub_terrains_own_share_counts_above_the_set() -> None:
    assert shares(**{f"{SUB_TERRAINS}.boxes.proportion": 1.0, "env.terrain_set": "gentle"}) == {
        "boxes": 0.5,
        "random_rough": 0.2,
        "hf_pyramid_slope": 0.15,
        "hf_pyramid_slope_inv": 0.15,
    }
    assert "boxes" not in shares(**{f"{SUB_TERRAINS}.boxes.proportion": 0.0})


def test_a_wrong_ground_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'gentle'"):
        shares(**{"env.terrain_set": "gentel"})
    with pytest.raises(ConfigurationError, match="no sub-terrain has a proportion above 0"):
        shares(**{"env.terrain_set": "flat", f"{SUB_TERRAINS}.plane.proportion": 0.0})
    with pytest.raises(ConfigurationError, match=r"has no parameter 'env\.terrain_set'"):
        configuration.load(FLAT, {"env.terrain_set": "gentle"}, num_envs=2, seed=0)


def together(*cause: str) -> Callable[[tuple[str, ...]], bool]:
    return lambda ground: set(cause) <= set(ground)


@pytest.mark.parametrize("name", NAMES)
def test_one_cause_is_found_in_few_trials(name: str) -> None:
    found = bisect(NAMES, together(name))
    assert found.causes == ((name,),)
    assert found.complete
    # The whole, at most two halves a round, and the rest without it.
    assert len(found.trials) <= 2 + 2 * math.ceil(math.log2(len(NAMES)))


def test_causes_that_need_each_other_are_named_together() -> None:
    found = bisect(NAMES, together("boxes", "hf_pyramid_slope_inv"))
    assert found.causes == (("boxes", "hf_pyramid_slope_inv"),)
    assert found.sentence().startswith("It breaks on: boxes together with hf_pyramid_slope_inv")


def test_every_cause_is_found() -> None:
    stairs, boxes = together("pyramid_stairs"), together("boxes", "random_rough")
    found = bisect(NAMES, lambda ground: stairs(ground) or boxes(ground))
    assert {frozenset(cause) for cause in found.causes} == {
        frozenset({"pyramid_stairs"}),
        frozenset({"boxes", "random_rough"}),
    }
    tried = list(found.trials)
    assert len(tried) == len(set(tried))
    assert not found.trials[tried[-1]]  # what remains without the causes holds


def test_nothing_breaks() -> None:
    found = bisect(NAMES, lambda ground: False)
    assert found.causes == ()
    assert found.trials == {NAMES: False}
    assert found.sentence() == "No sub-terrain breaks it, after 1 trial."


def test_the_search_ends_when_its_trials_do() -> None:
    found = bisect(NAMES, together("boxes", "hf_pyramid_slope_inv"), max_trials=3)
    assert not found.complete
    assert len(found.trials) == 3
    with pytest.raises(ConfigurationError, match="needs different sub-terrains"):
        bisect(("boxes", "boxes"), together("boxes"))


def test_a_trial_refuses_a_ground_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match=r"the ground has no boxs; .*Did you mean 'boxes'"):
        Trial().breaks(("boxs",))
    with pytest.raises(ConfigurationError, match="has no sub-terrains"):
        Trial(task=FLAT).breaks(("boxes",))


def test_a_sub_terrain_without_a_share_can_be_tried() -> None:
    generator = only_sub_terrains(Trial(), ("plane",)).env.scene.terrain.terrain_generator
    assert list(generator.sub_terrains) == ["plane"]


def trial_command(words: list[str], outcomes: dict[str, tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", list(sys.argv))  # the command shortens it
    monkeypatch.setattr(Trial, "carry_out", lambda self, ground: outcomes.get("+".join(ground), ("held", "")))
    return main(words)


def test_what_breaks_on_level_ground_too_is_blamed_on_no_sub_terrain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    crashed = ("crashed", "RuntimeError: no such device")
    outcomes = {"boxes+random_rough": crashed, "plane": crashed}
    assert trial_command(["--among", "boxes,random_rough"], outcomes, monkeypatch) == 3
    assert capsys.readouterr().out.splitlines() == [
        "boxes, random_rough: crashed (RuntimeError: no such device)",
        "plane: crashed (RuntimeError: no such device)",
        "It breaks on level ground too: no sub-terrain is the cause, after 2 trials.",
    ]


def test_the_command_searches_the_configurations_own_sub_terrains(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = {"random_rough+hf_pyramid_slope+hf_pyramid_slope_inv": ("broken", ""), "random_rough": ("broken", "")}
    assert trial_command(["--overrides", '{"env.terrain_set": "gentle"}'], outcomes, monkeypatch) == 3
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "plane: held"
    assert said[-1].startswith("It breaks on: random_rough (")


@pytest.mark.parametrize("wrong", ["dt=0.01", "[1]"])
def test_commands_refuse_overrides_that_are_no_object(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", list(sys.argv))  # the commands shorten it
    for command, words in ((main, ["--overrides", wrong]), (inspection.main, ["broken-000.npz", "--set", wrong])):
        with pytest.raises(SystemExit) as refused:
            command(words)
        assert refused.value.code == 2
        assert f"argument {words[-2]}: " in capsys.readouterr().err


SMALL = {f"env.scene.terrain.terrain_generator.{field}": 2 for field in ("num_rows", "num_cols")}


@pytest.mark.sim
@pytest.mark.parametrize("terrain_set", ["flat", "gentle"])
def test_robots_stand_on_a_height_field(terrain_set: str) -> None:
    overrides = {**SMALL, "env.terrain_set": terrain_set, "env.scene.terrain.max_init_terrain_level": None}
    config = configuration.load(ROUGH, overrides, num_envs=8, seed=0)
    with open_environment(config) as env, torch.inference_mode():
        for _ in range(60):
            env.step(torch.zeros(8, 12))
        ground = env.scene.sensors["height_scanner"].data.ray_hits_w.torch[..., 2].mean(dim=1)
        height = env.scene["robot"].data.root_pos_w.torch[:, 2] - ground
        assert env.guard_resets == 0
        assert ((height > 0.2) & (height < 0.4)).all(), height


@pytest.mark.sim
@pytest.mark.slow
def test_pits_are_found_in_the_real_ground() -> None:
    trial = Trial(overrides=SMALL, num_envs=2)

    def has_a_pit(ground: tuple[str, ...]) -> bool:
        with open_environment(only_sub_terrains(trial, ground)) as env:
            return bool((env.scene.terrain.terrain_origins[..., 2] < -0.05).any())

    found = bisect(("pyramid_stairs", "boxes", "hf_pyramid_slope_inv"), has_a_pit)
    assert found.causes == (("hf_pyramid_slope_inv",),)


@pytest.mark.sim
def test_a_trial_holds_and_one_with_wild_actions_breaks() -> None:
    calm = Trial(overrides=SMALL, num_envs=4, steps=15)
    assert resets(calm, ("random_rough",)) == 0
    # A torque held for 20 ms instead of 5 passes the stable damping, and the actions drive it on.
    wild = Trial(
        overrides={**SMALL, "env.sim.dt": 0.02, "env.actions.joint_pos.scale": 2.0},
        num_envs=4,
        steps=40,
        action_std=50.0,
    )
    assert resets(wild, ("random_rough",)) > 0


@pytest.mark.sim
@pytest.mark.slow
def test_a_trial_in_a_process_of_its_own_says_how_it_went() -> None:
    calm = Trial(overrides=SMALL, num_envs=2, steps=5)
    assert calm.outcome(("random_rough",)) == "held"
    assert replace(calm, limit=0.01).outcome(("random_rough",)) == "hung"
    assert replace(calm, device="cuda:99").outcome(("random_rough",)) == "crashed"


@pytest.mark.sim
@pytest.mark.slow
def test_the_command_says_what_breaks_in_processes_of_their_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", list(sys.argv))  # the command shortens it
    words = ["--overrides", json.dumps({**SMALL, "env.sim.dt": 0.02, "env.actions.joint_pos.scale": 2.0})]
    words += ["--among", "random_rough", "--num-envs", "4", "--steps", "40", "--action-std", "50"]
    assert main(words) == 3
    assert capsys.readouterr().out.splitlines() == [
        "random_rough: broken",
        "plane: broken",
        "It breaks on level ground too: no sub-terrain is the cause, after 2 trials.",
    ]
