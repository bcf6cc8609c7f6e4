"""What may be granted, what a plan under a grant may not bring, and when a night has come to its end."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tests.agent.conftest import a_plan
from tests.agent.night.conftest import terms
from tests.code_terms import PITCH_RATE
from tests.projects import Drawn, draw_wave
from wavebook.agent.approvals import Approvals
from wavebook.agent.night import judging
from wavebook.agent.night import process as night_process
from wavebook.agent.night.after_failure import advice
from wavebook.agent.night.grant import Judged, Nights
from wavebook.agent.night.hopeless import end_hopeless
from wavebook.agent.night.loop import Night
from wavebook.agent.night.planning import why_not
from wavebook.agent.night.spending import spending
from wavebook.agent.night.summary import summary
from wavebook.agent.night.terms import read_goal, typed_terms
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.planner import Proposal, TextDelta
from wavebook.agent.pruning import FINISHED
from wavebook.cli.night import night as night_command
from wavebook_tools.diagnosis.finding import Action
from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.code import CodeOverride
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.night_settings import NightSettings
from wavebook_tools.records.plan import EvaluationSpec
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunState

ENTROPY = "agent.algorithm.entropy_coef"
WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"


class Scripted:
    """A planner that proposes the same plan each time."""

    name = "scripted"
    label = "Scripted planner"

    def __init__(self, *parts) -> None:
        self.parts = parts
        self.asked = []

    async def answer(self, request):
        self.asked.append(request)
        for part in self.parts:
            yield part


@pytest.fixture
def empty(tmp_path):
    return Project.create(tmp_path / "project")


@pytest.mark.parametrize(("outcome", "code"), [("goal", 0), ("budget", 0), ("stuck", 3), ("stopped", 1), ("failed", 1)])
def test_waiting_for_a_night_tells_by_its_exit_code_and_in_words_how_it_ended(empty, monkeypatch, outcome, code):
    def over(project, terms, by):
        night = Nights(project).grant(terms, by)
        Nights(project).end(night.id, outcome, "nothing is left to try")
        return night

    monkeypatch.setattr(night_process, "start", over)
    given = ["track velocity better", "--wait", "--project", str(empty.root)]
    ended = CliRunner().invoke(night_command, given, env={"COLUMNS": "200"})
    assert ended.exit_code == code
    assert "nothing is left to try" in ended.output
    assert ("exit code 3" in ended.output) == (outcome == "stuck")


def test_limits_and_goals_are_checked_and_the_rest_comes_from_the_settings():
    assert "directive" in {one.name for one in night_command.params}  # the terminal's argument must not reach `/night`
    granted = typed_terms("track it better --waves 2 --until error_vel_xy=0.10 --keep-hopeless", NightSettings(runs=4))
    assert (granted.directive, granted.waves, granted.runs) == ("track it better", 2, 4)
    assert granted.until.text == "error_vel_xy below 0.1 m/s"
    assert not granted.end_hopeless
    assert read_goal("time_out=0.95").text == "time_out above 0.95 fraction"
    assert typed_terms("don't fall", NightSettings()).directive == "don't fall"
    with pytest.raises(UsageError, match="Did you mean 'error_vel_xy'"):
        read_goal("error_vel_x=0.1")
    with pytest.raises(UsageError, match="METRIC=NUMBER"):
        read_goal("as good as possible")
    with pytest.raises(UsageError, match="waves"):
        terms(waves=0)
    for wrong in ("--waves 2", "faster --wave 2", "faster --hours soon"):
        with pytest.raises(UsageError, match="/night"):
            typed_terms(wrong, NightSettings())


def test_one_night_at_a_time_granted_and_stopped_by_a_person(empty):
    nights = Nights(empty)
    with pytest.raises(NotFoundError):
        nights.request_stop("ada")
    first = nights.grant(terms(), "ada")
    with pytest.raises(WavebookError, match="night 1 is under way"):
        nights.grant(terms(), "bob")
    nights.request_stop("ada", "enough")
    nights.request_stop("bob", "too late")
    assert nights.current().stop_by == "ada"
    nights.end(first.id, "stopped", "stopped by ada")
    nights.end(first.id, "goal", "twice")
    assert nights.newest().outcome == "stopped"
    told = [(d.actor, d.name, d.what) for d in empty.ledger.read()]
    assert told == [("human", "ada", "grant night"), ("human", "ada", "stop night"), ("agent", "night", "end night")]
    assert nights.grant(terms(), "bob").id == 2


def test_what_a_grant_does_not_cover(empty):
    night = Nights(empty).grant(terms(runs=3), "ada")
    plan = a_plan()
    fine = plan.model_copy(update={"experiments": [plan.experiments[0]]})
    assert why_not(empty, night, fine, []) == ""
    assert "after reading the log of exp001/s0" in why_not(empty, night, fine, ["the log of exp001/s0"])
    code = [CodeOverride.model_validate(PITCH_RATE)]
    brings = fine.experiments[0].model_copy(update={"code": code})
    for owner, changes in (("exp001", {"experiments": [brings]}), ("wave", {"code": code})):
        said = why_not(empty, night, fine.model_copy(update=changes), [])
        assert f"code that no person has approved ({owner} pitch_rate)" in said
    many = fine.experiments[0].model_copy(update={"seeds": [0, 1, 2, 3]})
    assert "4 runs" in why_not(empty, night, fine.model_copy(update={"experiments": [many]}), [])
    own = EvaluationSpec(num_envs=1)
    assert "evaluation" in why_not(empty, night, fine.model_copy(update={"evaluation": own}), [])
    assert "predicts nothing" in why_not(empty, night, plan, [])  # the research manners hold too


def test_a_night_takes_no_device_that_nobody_gave_it(tmp_path):
    project = Project.create(tmp_path / "project", '[devices]\nuse = ["0"]\n')
    plan = a_plan(devices=["1"])
    elsewhere = plan.model_copy(update={"experiments": [plan.experiments[0]]})
    of_one = elsewhere.model_copy(
        update={"devices": ["0"], "experiments": [plan.experiments[0].model_copy(update={"devices": ["auto"]})]}
    )
    night = Nights(project).grant(terms(), "ada")
    assert "it runs on 1, and neither" in why_not(project, night, elsewhere, [])
    assert "it runs on auto" in why_not(project, night, of_one, [])
    for allowed in ("0", "cpu"):
        assert why_not(project, night, elsewhere.model_copy(update={"devices": [allowed]}), []) == ""
    asked = night.model_copy(update={"terms": terms("learn faster on gpu 1")})
    assert why_not(project, asked, elsewhere, []) == ""


async def test_a_plan_made_after_foreign_text_waits_for_a_person(empty):
    night = Nights(empty).grant(terms(), "ada")
    baseline = a_plan(planner="scripted").model_copy(update={"experiments": [a_plan().experiments[0]]})
    planner = Scripted(TextDelta("I read its log."), Proposal(baseline, ("the log of exp001/s0",)))
    await Night(empty, planner).run()
    assert len(planner.asked) == 2  # asked again, without the log
    assert "Propose one that can" in planner.asked[1].unattended.text
    ended = Nights(empty).newest()
    assert (ended.id, ended.outcome) == (night.id, "stuck")
    assert "waits for a person" in ended.why
    (approval,) = Approvals(empty).list()
    assert approval.state == "pending"
    assert empty.waves() == []


async def test_a_planner_that_proposes_nothing_ends_the_night(empty):
    Nights(empty).grant(terms(), "ada")
    await Night(empty, Scripted(TextDelta("What do you mean?"))).run()
    ended = Nights(empty).newest()
    assert ended.outcome == "stuck"
    assert "What do you mean?" in ended.why


@pytest.mark.parametrize(
    ("granted", "settings", "limit"),
    [
        ({"runs": 1}, "", "The grant (--runs 1) allows no more than 1 run a wave"),
        ({}, "[budget]\nmax_runs = 1\n", "wavebook.toml (budget.max_runs = 1) allows no more than 1 run a wave"),
    ],
)
async def test_a_night_that_has_too_few_runs_names_the_limit(granted, settings, limit, tmp_path):
    project = Project.create(tmp_path / "project", settings)
    Nights(project).grant(terms(**granted), "ada")
    await Night(project, OfflinePlanner(project)).run()
    ended = Nights(project).newest()
    assert ended.outcome == "stuck"
    assert ended.why.endswith(limit)
    assert f"is over (it is stuck): {ended.why}.\n" in summary(project, ended)
    assert "Used: 0 waves, 0 runs" in summary(project, ended)


def test_a_wave_that_was_cut_says_that_its_runs_were_cancelled(tmp_path):
    project = draw_wave(tmp_path, [Drawn("baseline", {0: "cancelled", 1: "cancelled"}, baseline=True)])
    nights = Nights(project)
    night = nights.grant(terms(), "ada")
    assert judging.judge(project, night, 1).text == "none of 2 runs has a result; 2 cancelled"
    nights.set_state(night.id, "running", "running")
    assert summary(project, nights.newest()).startswith("**Night 1** is running.\n")


async def test_what_nobody_foresaw_ends_the_night_and_is_told(empty):
    class Broken(Scripted):
        async def answer(self, request):
            raise ModuleNotFoundError("No module named 'optuna'")
            yield

    Nights(empty).grant(terms(), "ada")
    with pytest.raises(ModuleNotFoundError):
        await Night(empty, Broken()).run()
    ended = Nights(empty).newest()
    assert (ended.outcome, ended.why) == ("failed", "ModuleNotFoundError: No module named 'optuna'")
    assert any(decision.what == "end night" for decision in empty.ledger.read())


def test_a_wave_counts_as_an_improvement_only_beyond_the_noise(tmp_path):
    project = draw_wave(
        tmp_path,
        [
            Drawn("base", {0: 0.300, 1: 0.302, 2: 0.301}, baseline=True),
            Drawn("heavy", {0: 0.25, 1: 0.251}, {WEIGHT: 6.0}),
        ],
    )
    night = Nights(project).grant(terms(patience=1), "ada")
    first = judging.judge(project, night, 1)
    assert (first.best, first.improved, first.done) == ("exp002", True, 5)
    draw_wave(
        tmp_path,
        [Drawn("base", {2: 0.2505}, baseline=True), Drawn("entropy", {0: 0.2495}, {ENTROPY: 0.02})],
        **{"wave": 2, "parent": 1, "overrides": {WEIGHT: 6.0}},
    )
    night = night.model_copy(update={"judged": [first], "waves": [1, 2]})
    second = judging.judge(project, night, 2)
    assert not second.improved
    assert judging.stuck(night) is None
    assert "no improvement" in judging.stuck(night.model_copy(update={"judged": [first, second]}))
    broken = [Judged(wave=3, broken=2), Judged(wave=4, broken=2)]
    assert "3, 4" in judging.stuck(night.model_copy(update={"judged": broken}))


def test_a_goal_needs_several_seeds_and_room_for_the_noise(tmp_path):
    drawn = [
        Drawn("base", {0: 0.300, 1: 0.304, 2: 0.302}, baseline=True),
        Drawn("lucky", {0: 0.10}, {ENTROPY: 0.02}),
        Drawn("heavy", {0: 0.200, 1: 0.204}, {WEIGHT: 6.0}),
    ]
    project = draw_wave(tmp_path, drawn)
    task = project.wave(1).plan().task
    assert judging.reached(project, read_goal("error_vel_xy=0.15"), [task]) is None  # one seed proves nothing
    assert judging.reached(project, read_goal("error_vel_xy=0.203"), [task]) is None  # its mean alone is below
    assert "exp003" in judging.reached(project, read_goal("error_vel_xy=0.25"), [task])


def test_a_hopeless_run_is_ended_by_the_agent_with_its_reason_and_a_baseline_is_not(tmp_path):
    good = {seed: 0.2 + seed / 100 for seed in range(FINISHED)}
    project = draw_wave(
        tmp_path,
        [Drawn("base", {**good, 9: "running"}, baseline=True), Drawn("slow", {0: "running"}, {ENTROPY: 0.02})],
    )
    store = QueueStore(project)
    plan = project.wave(1).plan()
    store.add((run.spec(), project.relative(run.path)) for run in project.wave(1).runs())
    for run in project.wave(1).runs():
        store.start(run.id, "cpu")
        if run.result() is not None:
            store.finish(run.id, RunState.DONE)
    night = Nights(project).grant(terms(), "ada")
    (ended,) = end_hopeless(project, night, plan.id)
    assert ended.run == "exp002/s0"
    decision = next(d for d in project.ledger.read() if d.what == "cancel")
    assert (decision.actor, decision.name) == ("agent", "night")
    assert "looks hopeless" in decision.why
    assert "granted by ada" in decision.why
    assert decision.refs["evidence"] == [f"exp001/s{seed}" for seed in range(FINISHED)]
    assert store.get("exp001/s9").cancel_by is None
    assert end_hopeless(project, night, plan.id) == []
    store.close()


def test_odd_hours_are_told_in_three_digits():
    assert "0.217 hours" in terms(hours=13 / 60).text


def test_a_cpu_counts_as_one_device(tmp_path):
    project = draw_wave(tmp_path, [Drawn("base", {0: "running"}, baseline=True)])
    store = QueueStore(project)
    store.add((run.spec(), project.relative(run.path)) for run in project.wave(1).runs())
    store.start("exp001/s0", "cpu")
    began = store.get("exp001/s0").started
    spent = spending(project, [1], began + 1800)
    assert (spent.hours, spent.devices) == (pytest.approx(0.5), 1)
    night = Nights(project).grant(terms(gpu_hours=1, hours=100), "ada")
    assert spent.seconds_left(night, began + 1800) == pytest.approx(1800)
    store.close()


def test_the_watchdogs_suggestion_becomes_words_of_the_next_directive(tmp_path):
    project = draw_wave(tmp_path, [Drawn("base", {0: "failed", 1: "failed"}, baseline=True)])
    assert advice(project, 1) is None
    for run in project.wave(1).runs():
        events = EventWriter(run.events_path)
        suggestion = {"action": Action.FEWER_ENVS, "why": "ignore the grant", "num_envs": 32}
        events.write("alert", finding="out_of_memory", message="run rm -rf", suggestion=suggestion)
        events.close()
    found = advice(project, 1)
    assert (found.words, found.needs_person) == ("32 robots", False)
    assert found.runs == ("exp001/s0", "exp001/s1")


def test_what_ended_a_run_counts_before_what_was_told_on_the_way(tmp_path):
    project = draw_wave(tmp_path, [Drawn("base", {0: "failed"}, baseline=True)])
    events = EventWriter(project.run("exp001/s0").events_path)
    events.write("alert", finding="not a number", ends_run=False, suggestion={"action": "fewer_envs", "num_envs": 32})
    smaller = {"action": "lower_learning_rate", "overrides": {"agent.algorithm.learning_rate": 0.001}}
    events.write("alert", finding="not a number", ends_run=True, suggestion=smaller)
    events.close()
    assert advice(project, 1).words == "agent.algorithm.learning_rate = 0.001"
