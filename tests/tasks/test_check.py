import math

import pytest

from wavebook_tools.errors import UsageError
from wavebook_tools.records.plan import Budget, ExperimentSpec, WavePlan
from wavebook_tools.tasks import TaskSchema, check_overrides, check_plan

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"

SCHEMA = TaskSchema.model_validate(
    {
        "format": 1,
        "task": "Walk-Flat",
        "title": "Walk on flat ground",
        "parameters": {
            "env.rewards.track_lin_vel_xy_exp": {"type": "term", "default": "present", "nullable": True},
            WEIGHT: {"type": "float", "default": 1.5, "minimum": -100, "maximum": 100},
            "env.rewards.feet_air_time.weight": {"type": "float", "default": 0.1, "minimum": -100, "maximum": 100},
            "env.terminations.time_out": {"type": "term", "default": "present"},
            "env.actions.joint_pos.use_default_offset": {"type": "bool", "default": True},
            "agent.algorithm.learning_rate": {"type": "float", "default": 1e-3, "minimum": 1e-6, "maximum": 0.1},
            "agent.algorithm.num_learning_epochs": {"type": "int", "default": 5, "minimum": 1, "maximum": 100},
            "agent.actor.activation": {"type": "str", "default": "elu", "choices": ["elu", "relu", "tanh"]},
            "agent.actor.hidden_dims": {"type": "list", "item": "int", "default": [128, 128], "minimum": 1},
            "env.commands.base_velocity.ranges.lin_vel_x": {
                "type": "list", "item": "float", "length": 2, "default": [-1.0, 1.0], "unit": "m/s",
            },
            "agent.clip_actions": {"type": "float", "default": None, "nullable": True, "minimum": 0.1},
        },
        "search": [{"name": WEIGHT, "low": 0.5, "high": 8, "log": True}],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {WEIGHT: 2.0, "agent.algorithm.num_learning_epochs": 8},
        {WEIGHT: 2},
        {"env.rewards.track_lin_vel_xy_exp": None},
        {"agent.clip_actions": None},
        {"agent.actor.hidden_dims": [256, 128, 64], "agent.actor.activation": "relu"},
        {"env.commands.base_velocity.ranges.lin_vel_x": (-0.5, 0.5)},
        {"env.actions.joint_pos.use_default_offset": False},
    ],
)
def test_valid_overrides_pass(overrides):
    check_overrides(SCHEMA, overrides)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"env.rewards.track_lin_vel_xy_ex.weight": 2.0}, f"Did you mean '{WEIGHT}'"),
        ({"env.rewards.fet_air_time.weight": 2.0}, "Did you mean 'env.rewards.feet_air_time.weight'"),
        ({"agent.algorithm": 1}, "group"),
        ({WEIGHT: "heavy"}, "'heavy' is a text; give a number"),
        ({WEIGHT: True}, "True is true or false; give a number"),
        ({WEIGHT: None}, "null is not allowed"),
        ({WEIGHT: 1000.0}, "1000 is above the largest value 100"),
        ({WEIGHT: math.nan}, "not finite"),
        ({"agent.algorithm.learning_rate": 0}, "below the smallest value 1e-06"),
        ({"agent.algorithm.num_learning_epochs": 2.5}, "2.5 is a number; give a whole number"),
        ({"agent.actor.activation": "rely"}, "Did you mean 'relu'"),
        ({"agent.actor.hidden_dims": 128}, "give a list"),
        ({"agent.actor.hidden_dims": [128, "big"]}, "'big' is a text; give a whole number"),
        ({"env.commands.base_velocity.ranges.lin_vel_x": [1.0]}, "has 1 items; it takes 2"),
        ({"env.rewards.track_lin_vel_xy_exp": 3.0}, "set by the name with .weight"),
        ({"env.terminations.time_out": None}, "null is not allowed"),
        ({"env.rewards.track_lin_vel_xy_exp": None, WEIGHT: 2.0}, "removed by another override"),
        ({"env.scene.num_envs": 64}, "set by num_envs of the plan"),
        ({"agent.max_iterations": 64}, "set by iterations of the plan"),
        ({"env.sim.device": "cpu"}, "set by devices of the plan"),
        ({"agent.seed": 3}, "set by seeds of the experiment"),
    ],
)
def test_invalid_overrides_are_refused_by_name_and_reason(overrides, told):
    with pytest.raises(UsageError) as refusal:
        check_overrides(SCHEMA, overrides)
    assert told in str(refusal.value)
    assert next(iter(overrides)) in str(refusal.value)


def test_every_problem_is_told():
    with pytest.raises(UsageError) as refusal:
        check_overrides(SCHEMA, {WEIGHT: "heavy", "agent.algorithm.learning_rate": 5.0})
    assert len(str(refusal.value).splitlines()) == 2


def plan(**fields) -> WavePlan:
    experiment = {"id": "exp001", "slug": "first", "hypothesis": "It helps."}
    experiment |= fields.pop("experiment", {})
    return WavePlan(
        **{
            "id": 1,
            "slug": "first",
            "goal": "Walk",
            "task": "Walk-Flat",
            "num_envs": 2,
            "iterations": 2,
            "experiments": [ExperimentSpec(**experiment)],
            **fields,
        }
    )


def test_a_valid_plan_passes():
    check_plan(plan(experiment={"overrides": {WEIGHT: 2.0}}), {"Walk-Flat": SCHEMA})


def test_a_wrong_override_is_told_with_its_experiment():
    with pytest.raises(UsageError, match=r"exp001: override 'agent\.algorithm\.learning_rate': 1 is above"):
        check_plan(plan(experiment={"overrides": {"agent.algorithm.learning_rate": 1}}), {"Walk-Flat": SCHEMA})


def test_the_base_and_the_experiment_are_checked_together():
    wave = plan(overrides={"env.rewards.track_lin_vel_xy_exp": None}, experiment={"overrides": {WEIGHT: 2.0}})
    with pytest.raises(UsageError, match=r"exp001: .*removed by another override"):
        check_plan(wave, {"Walk-Flat": SCHEMA})


def test_an_unknown_task_is_told_with_the_nearest():
    with pytest.raises(UsageError, match=r"no task 'Walk-Flatt'.*'Walk-Flat'"):
        check_plan(plan(task="Walk-Flatt"), {"Walk-Flat": SCHEMA})


@pytest.mark.parametrize("devices", [["auto"], ["cpu"], ["0", "1"], ["GPU-8f6d1e2a-0000"], ["MIG-1a2b"]])
def test_device_names_pass(devices):
    check_plan(plan(devices=devices), {"Walk-Flat": SCHEMA})


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        ([], "empty"),
        (["auto", "0"], "stands alone"),
        (["gpu0"], "'gpu0' is no device name"),
        (["0; rm -rf /"], "no device name"),
        (["0", "0"], "twice"),
        (["cup"], "Did you mean 'cpu'"),
    ],
)
def test_wrong_device_names_are_refused(devices, told):
    with pytest.raises(UsageError, match=told):
        check_plan(plan(devices=devices), {"Walk-Flat": SCHEMA})


def test_a_wave_has_one_baseline():
    two = [ExperimentSpec(id=f"exp00{n}", slug="base", hypothesis="It is.", baseline=True) for n in (1, 2)]
    with pytest.raises(UsageError, match="exp001 and exp002 are both marked as the baseline"):
        check_plan(plan(experiments=two), {"Walk-Flat": SCHEMA})


def test_a_budget_that_shrank_after_the_plan_was_made_is_told():
    wave = plan(experiment={"seeds": [0, 1, 2]})
    shrunk = wave.model_copy(update={"budget": Budget(max_runs=2)})
    with pytest.raises(UsageError, match="3 runs are planned and the budget allows 2"):
        check_plan(shrunk, {"Walk-Flat": SCHEMA})
