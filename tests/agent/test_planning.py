"""What the offline planner proposes from directives and from records."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.agent.conftest import WaitingQueue
from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent.approvals import Approvals
from wavebook.agent.chat import Chat
from wavebook.agent.conversation import turn
from wavebook.agent.manners import check_manners
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.planner import Proposal, Request, TextDelta, Unattended
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.devices import Device
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import check_plan

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"
STD = "env.rewards.track_lin_vel_xy_exp.params.std"
ENTROPY = "agent.algorithm.entropy_coef"
RATE = "agent.algorithm.learning_rate"
FLAT = "track velocity better on flat ground"

BASELINE = Drawn("baseline", {0: 0.300, 1: 0.310, 2: 0.305}, baseline=True)
WIN = Drawn("weight", {0: 0.220, 1: 0.225}, {WEIGHT: 6.0})
SMALL_WIN = Drawn("entropy", {0: 0.260, 1: 0.262}, {ENTROPY: 0.005})
LOSS = Drawn("narrow", {0: 0.500, 1: 0.520}, {STD: 0.375})


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


def propose(project: Project, directive: str, **how: int) -> WavePlan:
    plan = OfflinePlanner(project).propose(directive, **how)
    check_plan(plan)
    return plan


async def proposed(project: Project, request: Request) -> WavePlan | None:
    plans = [part.plan async for part in OfflinePlanner(project).answer(request) if isinstance(part, Proposal)]
    return plans[0] if plans else None


def answer(project: Project, text: str) -> tuple[str, WavePlan | None]:
    async def collect() -> tuple[str, WavePlan | None]:
        said, plan = "", None
        async for part in OfflinePlanner(project).answer(Request(text)):
            if isinstance(part, TextDelta):
                said += part.text
            elif isinstance(part, Proposal):
                plan = part.plan
        return said, plan

    return asyncio.run(collect())


def varied(plan: WavePlan) -> list[str]:
    return [name for experiment in plan.experiments for name in experiment.overrides]


def test_the_first_wave_is_a_baseline_with_several_seeds_and_variations(empty):
    plan = propose(empty, FLAT)
    baseline, *others = plan.experiments
    assert plan.task == TASK
    assert baseline.baseline
    assert baseline.overrides == {}
    assert len(baseline.seeds) >= 2
    assert 1 <= len(others) <= 3
    for experiment in others:
        assert experiment.overrides
        assert experiment.prediction.metric == "error_vel_xy"
        assert experiment.prediction.direction == "down"
        assert not experiment.baseline
    assert WEIGHT in others[0].overrides
    assert [experiment.id for experiment in plan.experiments] == ["exp001", "exp002", "exp003"]
    assert plan.parent is None
    assert (plan.num_envs, plan.iterations) == (4096, 2000)


def test_two_experiments_make_three_runs(empty):
    plan = propose(empty, FLAT, experiments=2)
    assert [len(experiment.seeds) for experiment in plan.experiments] == [2, 1]


def test_the_same_records_give_the_same_plan(empty):
    first, second = propose(empty, FLAT), propose(empty, FLAT)
    assert first.model_copy(update={"created": 0}) == second.model_copy(update={"created": 0})


@pytest.mark.parametrize(
    ("directive", "names"),
    [
        ("turn better on flat ground", {"env.rewards.track_ang_vel_z_exp.weight"}),
        ("move more smoothly on flat ground", {"env.rewards.action_rate_l2.weight"}),
        ("use less energy on flat ground", {"env.rewards.dof_torques_l2.weight"}),
        ("walk over stairs", {"env.rewards.feet_air_time.weight"}),
        ("fall less often on flat ground", {"env.rewards.flat_orientation_l2.weight"}),
        ("learn faster on flat ground", {RATE}),
        ("a bigger network", {"agent.actor.hidden_dims"}),
        ("less entropy", {ENTROPY}),
        ("try learning rates 3e-4 and 3e-3", {RATE}),
        ("remove undesired contacts", {"env.rewards.undesired_contacts"}),
    ],
)
def test_the_variations_fit_the_directive(empty, directive, names):
    assert names <= set(varied(propose(empty, directive)))


def test_a_smoothness_wave_claims_no_gain_in_tracking(empty):
    plan = propose(empty, "move more smoothly on flat ground")
    assert {e.prediction.direction for e in plan.experiments if e.prediction} == {"same"}
    assert "does not measure smoothness" in plan.rationale


def test_numbers_of_the_directive_are_kept(empty):
    plan = propose(
        empty, "track velocity better on flat ground: 4 experiments, 2 seeds, 64 robots, 50 iterations on cpu"
    )
    assert [len(experiment.seeds) for experiment in plan.experiments] == [2, 2, 2, 2]
    assert (plan.num_envs, plan.iterations, plan.devices) == (64, 50, ["cpu"])


def test_what_is_named_is_the_exception_from_what_is_to_stay(empty):
    plan = propose(empty, "keep the rewards as they are but raise the feet air time weight")
    changed = {name for experiment in plan.experiments for name in experiment.overrides}
    assert {name for name in changed if name.startswith("env.rewards.")} == {"env.rewards.feet_air_time.weight"}


def test_what_is_named_goes_beyond_the_search_range(empty):
    plan = propose(empty, "Wavebook-Velocity-Quick-DHAV1: double the feet air time weight")  # at the end of its range
    assert plan.experiments[1].overrides == {"env.rewards.feet_air_time.weight": 2.0}


def test_what_is_named_and_has_no_room_is_told(empty):
    plan = propose(empty, f"{FLAT}: raise gamma, raise the action scale, 2 experiments")
    (changed,) = plan.experiments[1].overrides
    left_out = {"agent.algorithm.gamma", "env.actions.joint_pos.scale"} - {changed}
    assert f"{left_out.pop()} stays: there is no room for it here" in plan.rationale


def test_a_wish_against_itself_is_told(empty):
    plan = propose(empty, "don't touch the network, a bigger network, learn faster")
    assert "agent.actor.hidden_dims" not in {name for e in plan.experiments for name in e.overrides}
    assert "agent.actor.hidden_dims is both to change and to stay" in plan.rationale


def test_a_baseline_alone_is_a_wave(empty):
    (only,) = propose(empty, "no experiments, just a baseline with 4 seeds").experiments
    assert (only.baseline, len(only.seeds)) == (True, 4)


def test_a_budget_of_runs_is_kept(empty):
    plan = propose(empty, f"{FLAT}, 4 experiments, 3 seeds, at most 5 runs")
    assert plan.run_count <= 5
    assert plan.budget.max_runs == 5
    assert "smaller to keep to 5 runs" in plan.rationale
    fewest = propose(empty, f"{FLAT}, at most 2 runs")
    assert [len(e.seeds) for e in fewest.experiments] == [2]  # the noise before anything that is judged against it
    assert "only measures the noise" in fewest.rationale


def test_the_projects_budget_is_not_exceeded_by_a_directive(empty):
    empty.settings_path.write_text("[budget]\nmax_runs = 4\n")
    plan = propose(empty, f"{FLAT}, 6 experiments, 3 seeds, up to 50 runs")
    assert plan.run_count <= 4
    assert "allows 4 runs" in plan.rationale


def test_waves_share_devices_where_the_settings_let_runs_share(empty):
    assert not propose(empty, FLAT).share
    empty.settings_path.write_text("[devices]\nruns_per_gpu = 3\n")
    assert propose(empty, FLAT).share


def test_what_is_to_be_left_alone_is_not_varied(empty):
    plan = propose(empty, f"{FLAT}, 6 experiments, without changing the rewards")
    assert varied(plan)
    assert not [name for name in varied(plan) if name.startswith("env.rewards")]


def test_the_settings_name_task_and_size(empty):
    empty.settings_path.write_text(f'[training]\ntask = "{TASK}"\nnum_envs = 32\niterations = 7\n')
    plan = propose(empty, "track velocity better")
    assert (plan.task, plan.num_envs, plan.iterations) == (TASK, 32, 7)


def test_a_value_that_the_base_has_is_told_and_not_run(empty):
    plan = propose(empty, "learning rates 1e-3 and 3e-3 on flat ground, 2 variations")
    assert {RATE: 1e-3} not in [experiment.overrides for experiment in plan.experiments]
    assert "is what the base has already" in plan.rationale


@pytest.mark.parametrize(
    ("directive", "told"),
    [
        ("learning rate 5", "above the largest value 0.1"),
        ("set env.rewards.fet_air_time.weight to 3", "Did you mean 'env.rewards.feet_air_time.weight'"),
        ("paint it blue", "I made nothing of «paint», «blue»"),
        ("hello", "Name a goal"),
        ("reproduce the best", "nothing was measured yet"),
        ("reproduce exp042", "there is no experiment 'exp042'. Experiments here: none yet"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_a_reason(empty, directive, told):
    with pytest.raises(UsageError) as refusal:
        OfflinePlanner(empty).propose(directive)
    assert told in str(refusal.value)


def test_a_later_wave_builds_on_the_best_and_measures_it_again(tmp_path):
    project = draw_wave(tmp_path, [BASELINE, WIN, LOSS])
    plan = propose(project, FLAT)
    assert plan.parent == 1
    assert plan.id == 2
    assert plan.overrides == {WEIGHT: 6.0}
    base, *others = plan.experiments
    assert base.baseline
    assert base.overrides == {}
    assert "exp002" in base.hypothesis
    assert not {0, 1} & set(base.seeds)
    assert base.evidence == ["exp002"]
    assert others
    assert base.id == "exp004"
    assert all("exp002" in experiment.evidence or "exp001" in experiment.evidence for experiment in others)
    assert (plan.num_envs, plan.iterations) == (64, 60)


def test_two_wins_are_tried_together(tmp_path):
    plan = propose(draw_wave(tmp_path, [BASELINE, WIN, SMALL_WIN]), FLAT)
    assert plan.overrides == {WEIGHT: 6.0}
    joined = plan.experiments[1]
    assert joined.overrides == {ENTROPY: 0.005}
    assert "exp003" in joined.evidence


def test_what_was_worse_is_not_taken_further(tmp_path):
    plan = propose(draw_wave(tmp_path, [BASELINE, LOSS]), f"{FLAT}, 8 experiments, 1 seed")
    for experiment in plan.experiments:
        assert experiment.overrides.get(STD, 1.0) > 0.375
    assert "Worse than the baseline, and not tried further: exp002" in plan.rationale


def test_what_was_tried_is_not_tried_again(tmp_path):
    tried = {"env.rewards.track_lin_vel_xy_exp.weight": 6.0}
    project = draw_wave(tmp_path, [BASELINE, Drawn("same", {0: 0.305, 1: 0.300}, tried)])
    plan = propose(project, f"{FLAT}, 8 experiments")
    assert plan.overrides == {}
    assert tried not in [experiment.overrides for experiment in plan.experiments]


def test_a_difference_within_the_noise_changes_nothing(tmp_path):
    noisy = Drawn("baseline", {0: 0.25, 1: 0.35, 2: 0.30}, baseline=True)
    project = draw_wave(tmp_path, [noisy, Drawn("weight", {0: 0.27, 1: 0.29}, {WEIGHT: 6.0})])
    plan = propose(project, FLAT)
    assert plan.overrides == {}
    assert "nothing tried since was better by more than the noise" in plan.rationale


def test_a_win_that_broke_on_a_seed_is_no_win(tmp_path):
    project = draw_wave(tmp_path, [BASELINE, Drawn("weight", {0: 0.22, 1: 0.22, 2: "failed"}, {WEIGHT: 6.0})])
    assert propose(project, FLAT).overrides == {}


def test_a_direction_that_broke_three_times_is_closed(tmp_path):
    broken = Drawn("rate", {0: "failed", 1: "hung", 2: "failed"}, {RATE: 2e-3})
    project = draw_wave(tmp_path, [BASELINE, broken])
    assert RATE not in varied(propose(project, "learn faster on flat ground, 10 experiments, 1 seed"))
    assert RATE in varied(propose(project, "learning rate 5e-4 on flat ground"))


def test_reward_never_ranks(tmp_path):
    # The curves that draw_wave makes reach the same reward for all; only the evaluation differs.
    project = draw_wave(tmp_path, [BASELINE, WIN])
    for run in project.runs():
        text = run.events_path.read_text().replace('"Train/mean_reward":', '"Train/mean_reward":1e9,"x":')
        run.events_path.write_text(text)
    assert propose(project, FLAT).overrides == {WEIGHT: 6.0}


def test_unfinished_runs_are_told_and_their_configuration_is_not_repeated(tmp_path):
    project = draw_wave(tmp_path, [BASELINE, Drawn("weight", {0: "running"}, {WEIGHT: 6.0})])
    plan = propose(project, f"{FLAT}, 6 experiments")
    assert {WEIGHT: 6.0} not in [experiment.overrides for experiment in plan.experiments]
    assert "1 runs of earlier waves have not ended" in plan.rationale


def test_a_damaged_wave_is_told_and_left_out(tmp_path):
    project = draw_wave(tmp_path, [BASELINE, WIN])
    draw_wave(tmp_path, [BASELINE], wave=2, slug="second")
    (project.waves_path / "002-second" / "wave.json").write_text("{")
    plan = propose(project, FLAT)
    assert plan.overrides == {WEIGHT: 6.0}
    assert plan.id == 3
    assert "002-second/wave.json is damaged" in plan.rationale


def test_the_best_is_reproduced_beside_its_baseline_on_new_seeds(tmp_path):
    plan = propose(draw_wave(tmp_path, [BASELINE, WIN]), "reproduce the best on flat ground with 4 seeds")
    baseline, again = plan.experiments
    assert baseline.baseline
    assert (baseline.overrides, again.overrides) == ({}, {WEIGHT: 6.0})
    assert baseline.seeds == again.seeds
    assert len(again.seeds) == 4
    assert not {0, 1, 2} & set(again.seeds)


def test_a_single_run_confirms_a_win_before_another_builds_on_it(tmp_path):
    project = draw_wave(tmp_path, [BASELINE, WIN])
    one = f"{FLAT}, at most 1 run"
    plan = propose(project, one)
    (again,) = plan.experiments
    assert (plan.overrides, again.overrides, again.seeds) == ({WEIGHT: 6.0}, {}, [2])
    assert "exp002 was not repeated yet, so the only run repeats it" in plan.rationale
    check_manners(project, plan)
    (named,) = propose(project, f"{one}, entropy 0.02").experiments  # what a person asks for by name is done
    assert named.overrides == {ENTROPY: 0.02}
    unattended = Request(f"{one}, entropy 0.02", unattended=Unattended(1, 3, 1))
    plan = asyncio.run(proposed(project, unattended))
    assert [e.overrides for e in plan.experiments] == [{}]  # without a person only a confirmed win is built on
    draw_wave(tmp_path, [Drawn("again", {2: 0.222}, baseline=True)], wave=2, overrides={WEIGHT: 6.0})
    plan = propose(project, one)
    (new,) = plan.experiments
    assert plan.overrides == {WEIGHT: 6.0}
    assert new.overrides
    check_manners(project, plan)
    plan = propose(project, "reproduce the best with 1 seed, at most 1 run")
    assert [(e.overrides, e.seeds) for e in plan.experiments] == [({WEIGHT: 6.0}, [3])]


def test_named_experiments_are_compared_on_seeds_that_none_of_them_has_seen(tmp_path):
    project = draw_wave(tmp_path, [BASELINE, WIN, SMALL_WIN])
    plan = propose(project, "Compare the entropy run with exp002, 2 seeds")
    assert [(e.overrides, e.seeds, e.baseline) for e in plan.experiments] == [
        ({ENTROPY: 0.005}, [2, 3], True),
        ({WEIGHT: 6.0}, [2, 3], False),
    ]
    assert plan.experiments[1].prediction.direction == "down"  # as the records have it
    assert "exp002: error_vel_xy 0.223 m/s (2 seeds)" in plan.rationale
    assert "more than seeds explain" in plan.rationale
    check_manners(project, plan)
    plan = propose(project, "compare weight, entropy and the baseline")
    assert [e.overrides for e in plan.experiments if e.baseline] == [{}]  # where it is named, it is the measure
    assert len(plan.experiments) == 3


def test_named_experiments_are_combined_beside_the_baseline(tmp_path):
    project = draw_wave(tmp_path, [BASELINE, WIN, SMALL_WIN, Drawn("high-entropy", {0: 0.4}, {ENTROPY: 0.02})])
    plan = propose(project, "combine weight with entropy, and track better")
    baseline, both = plan.experiments
    assert (baseline.overrides, baseline.seeds, both.seeds) == ({}, [3, 4], [3, 4])
    assert both.overrides == {WEIGHT: 6.0, ENTROPY: 0.005}
    assert both.evidence == ["exp002", "exp003"]
    assert "Not understood" not in plan.rationale
    check_manners(project, plan)
    (again, _) = propose(project, "reproduce high entropy with 2 seeds").experiments[::-1]
    assert (again.overrides, again.seeds) == ({ENTROPY: 0.02}, [3, 4])


@pytest.mark.parametrize(
    ("directive", "told"),
    [
        ("combine entropy and high-entropy", "exp003 and exp004 both change agent.algorithm.entropy_coef (0.005 and"),
        ("compare weight and hihg-entropy", "there is no experiment 'hihg-entropy'. Did you mean 'high-entropy'"),
        ("combine exp002 and exp009", "there is no experiment 'exp009'. Did you mean 'exp00"),
        ("combine foo-bar and baz-qux", "Experiments here: exp001, exp002"),
        ("compare exp002 with the best", "are the same configuration, exp002"),
    ],
)
def test_names_that_cannot_be_followed_are_refused_with_the_nearest(tmp_path, directive, told):
    project = draw_wave(tmp_path, [BASELINE, WIN, SMALL_WIN, Drawn("high-entropy", {0: 0.4}, {ENTROPY: 0.02})])
    with pytest.raises(UsageError, match=re.escape(told)):
        propose(project, directive)


def test_what_is_compared_by_its_values_is_no_record(empty):
    plan = propose(empty, "compare entropy 0.01 and 0.02 with learning rate 5e-4")
    assert varied(plan) == [ENTROPY, ENTROPY, RATE]


def test_a_time_limit_shortens_the_runs(tmp_path):
    project = draw_wave(tmp_path, [BASELINE])
    for run in project.runs():
        events = run.events_path.read_text().splitlines()
        # 48 s of training and 12 s of everything else
        events[-1] = events[-1].replace("1763810000.0", "1763800060.0")
        run.events_path.write_text("\n".join(events) + "\n")
    long = propose(project, f"{FLAT}, 2 experiments on cpu")
    short = propose(project, f"{FLAT}, 2 experiments on cpu, within 2 minutes")
    assert long.iterations == 60
    assert 10 < short.iterations < 60
    assert "To keep to 2 minutes" in short.rationale


def test_a_directive_is_answered_with_what_was_understood_and_why(empty):
    text, plan = answer(empty, "track velocity better on flat ground and paint it blue")
    assert plan is not None
    assert "**Understood:** task Wavebook-Velocity-Flat-DHAV1; track the commanded velocity better." in text
    assert "**Not understood, and left aside:** «paint», «blue»." in text
    assert "Nothing was run on this task yet" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "Nothing was run here yet"),
        ("status", "Nothing was planned or run yet"),
        ("help", "without a language model"),
        ("thanks", "welcome"),
        ("paint it blue", "«paint», «blue»"),
    ],
)
def test_what_asks_for_no_wave_gets_an_answer_and_no_plan(empty, text, told):
    said, plan = answer(empty, text)
    assert told in said
    assert plan is None


def test_what_is_asked_by_an_amount_is_planned_by_that_amount(empty):
    plan = propose(empty, f"{FLAT}: double the entropy and nothing else")
    assert [e.overrides for e in plan.experiments] == [{}, {"agent.algorithm.entropy_coef": 0.02}]


@pytest.mark.parametrize(
    ("directive", "names"),
    [
        ("try only the learning rate", {RATE}),
        ("only feet_gait", {"env.rewards.feet_gait.weight"}),
        ("learning rate only, 4 experiments", {RATE}),
        ("vary only the entropy and the learning rate", {ENTROPY, RATE}),
        (f"only {RATE} = 5e-4", {RATE}),
    ],
)
def test_only_what_is_named_is_varied_where_the_directive_says_so(empty, directive, names):
    plan = propose(empty, directive)
    assert set(varied(plan)) == names
    assert "Not understood" not in plan.rationale
    assert len(set(varied(propose(empty, f"{FLAT}, only 2 seeds")))) == 2  # «only» of a number says nothing else


async def test_a_message_that_only_sizes_changes_the_plan_that_waits(empty):
    chat, approvals = Chat(empty), Approvals(empty, queue=WaitingQueue)
    planner = OfflinePlanner(empty)

    async def said(text):
        events = [event async for event in turn(chat, approvals, planner, text, by="ada")]
        return [WavePlan(**event["approval"]["plan"]) for event in events if event["kind"] == "approval"]

    assert await said("again with 3 seeds") == []  # there is nothing yet that it could change
    (first,) = await said(f"{FLAT}, entropy 0.02, 2 seeds")
    (again,) = await said("again with 3 seeds")
    assert [e.overrides for e in again.experiments] == [e.overrides for e in first.experiments]
    assert [len(e.seeds) for e in again.experiments] == [3 for _ in first.experiments]
    assert f"as before, «{first.directive}»" in again.rationale
    assert "takes the place of wave 1, whose plan is withdrawn" in again.rationale
    assert "still wait" not in again.rationale
    old, new = approvals.list()
    assert (old.state, new.state) == ("withdrawn", "pending")
    assert old.why == "wave 2 takes its place: «again with 3 seeds»"
    (withdrawn,) = [decision for decision in empty.ledger.read() if decision.what == "withdraw"]
    assert (withdrawn.actor, withdrawn.name, withdrawn.refs["wave"]) == ("human", "ada", 1)
    assert not approvals.withdraw(old.id, "ada", "again")  # a plan is decided once
    approvals.decide(new.id, "reject", "ada")
    assert await said("run it longer, 1000 its") == []  # what was turned down is not taken up again


def test_a_wave_on_a_gpu_that_is_not_there_is_refused_as_it_is_planned(empty):
    with pytest.raises(UsageError, match="device '7' fits no device of this machine"):
        propose(empty, f"{FLAT}, learn faster on gpu 7")


def test_gpus_that_are_to_be_left_alone_are(empty, monkeypatch):
    gpus = [Device(id=f"GPU-{name}", kind="gpu", name="NVIDIA H100", index=index) for index, name in enumerate("abc")]
    for module in ("wave_frame", "exploration", "submission", "estimate"):
        monkeypatch.setattr(f"wavebook.agent.{module}.list_devices", lambda: gpus)
    assert propose(empty, f"{FLAT}, but not on gpu 0").devices == ["1", "2"]
    assert propose(empty, f"{FLAT} on gpus 0 and 1, never use gpu 1").devices == ["0"]
    assert propose(empty, f"{FLAT}, avoid gpu 7").devices == ["auto"]
    with pytest.raises(UsageError, match="no device is left without GPU 2: the wave may take 2"):
        propose(empty, f"{FLAT} on gpu 2, do not use gpu 2")
    empty.settings_path.write_text('[engine]\nname = "slurm"\n')
    plan = propose(empty, f"{FLAT}, but not on gpu 0")
    assert plan.devices == ["auto"]
    assert "A cluster chooses its GPUs itself" in plan.rationale
