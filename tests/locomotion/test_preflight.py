"""The preflight of reward terms given as code, against the real simulator."""

from __future__ import annotations

import pytest

pytest.importorskip("isaaclab")

import torch

from wavebook_locomotion import configuration, preflight
from wavebook_locomotion.errors import ConfigurationError
from wavebook_locomotion.evaluation.evaluate import fixed_configuration
from wavebook_locomotion.evaluation.protocol import PROTOCOL
from wavebook_locomotion.rewards.code import CodeTerm, of_cells

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROBOT = {"asset_cfg": {"entity": "robot"}}


def pitch_rate(env, asset_cfg):
    return torch.square(env.scene[asset_cfg.name].data.root_ang_vel_b.torch[:, 1])


def too_wide(env):
    return env.scene["robot"].data.root_ang_vel_b.torch[:, 1:2]


def endless(env):
    while True:
        pass


def meddling(env):
    command = env.command_manager.get_command("base_velocity")
    command *= 0.0
    return command[:, 0]


def undefined(env):
    return torch.log(torch.zeros(env.num_envs, device=env.device))


def load(*terms: CodeTerm) -> configuration.TaskConfig:
    return configuration.load(FLAT, {}, num_envs=preflight.ENVIRONMENTS, seed=0, code=terms)


@pytest.mark.sim
def test_a_sound_term_passes_and_tells_its_extremes():
    (row,) = preflight.preflight(load(CodeTerm(pitch_rate, -0.1, ROBOT)))
    assert row["term"] == "pitch_rate"
    assert row["calls"] == preflight.STEPS
    assert 0.0 <= row["lowest"] < row["highest"]


@pytest.mark.sim
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (too_wide, r"too_wide returned shape \[2, 1\]; return \[num_envs\]"),
        (endless, "endless took longer than"),
        (meddling, "meddling changed the command base_velocity"),
        (undefined, "undefined returned a value that is not finite"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_term_that_cannot_train_is_named_with_the_reason(function, said, monkeypatch):
    monkeypatch.setattr(preflight, "LONGEST_CALL", 1.0)
    with pytest.raises(preflight.PreflightError, match=said):
        preflight.preflight(load(CodeTerm(function, 1.0)))


def test_the_evaluation_knows_nothing_of_code():
    fixed = fixed_configuration(load(CodeTerm(pitch_rate, -0.1, ROBOT)), 2, PROTOCOL)
    assert not hasattr(fixed.env.rewards, "pitch_rate")
    assert fixed.code == ()


def test_a_term_of_the_task_keeps_its_name():
    def feet_slide(env):
        return env.step_dt

    with pytest.raises(ConfigurationError, match="have a term 'feet_slide' already"):
        load(CodeTerm(feet_slide, 1.0))


def test_other_processes_of_a_run_make_the_terms_from_the_notebooks_cell():
    cell = (
        "import torch\n\ndef half(env):\n    return torch.ones(2) / 2\n\n"
        "from wavebook_locomotion.rewards.code import CodeTerm\n\ncode.append(CodeTerm(half, weight=2.0, params={}))"
    )
    (term,) = of_cells([cell])
    assert (term.name, term.weight) == ("half", 2.0)
    assert float(term.function(None).sum()) == 1.0
