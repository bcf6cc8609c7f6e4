from __future__ import annotations

import multiprocessing
import threading

import pytest

from tests.agent.conftest import WEIGHT, WaitingQueue, a_plan
from tests.jobs.conftest import write_template
from wavebook.agent.approvals import Approvals
from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.jobs.devices import Device
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.notebooks.templates import copy_template
from wavebook_tools.records.plan import Budget, ExperimentSpec


def decisions(project):
    return [(decision.actor, decision.name, decision.what) for decision in project.ledger.read()]


def rows(project):
    store = QueueStore(project)
    try:
        return [(row.id, row.state.value) for row in store.all()]
    finally:
        store.close()


def test_a_proposed_plan_waits_and_outlives_the_process(project, approvals, plan):
    proposed = approvals.propose(plan, by="ada")
    assert proposed.state == "pending"
    assert proposed.plan == plan
    assert proposed.estimate.runs == 3
    assert proposed.estimate.seconds is None
    assert proposed.expires > proposed.created
    assert Approvals(project, clock=approvals._clock).get(proposed.id) == proposed
    assert project.waves() == []
    assert decisions(project) == [("human", "ada", "directive"), ("agent", "offline", "plan")]


def test_the_projects_budget_holds_for_a_plan_by_hand(project, approvals, plan):
    project.settings_path.write_text("[budget]\ngpu_hours = 2.0\nrun_hours = 0.5\n")
    by_hand = plan.model_copy(update={"planner": "human", "budget": Budget(gpu_hours=5.0)})
    proposed = approvals.propose(by_hand)
    assert (proposed.plan.budget.gpu_hours, proposed.plan.budget.run_hours) == (2.0, 0.5)
    approvals.decide(proposed.id, "approve", "ada")
    assert project.wave(1).plan().budget == proposed.plan.budget
    assert {run.spec().limits.hours for run in project.wave(1).runs()} == {0.5}


def test_a_device_of_the_cluster_is_chosen_by_its_name(project, approvals, plan):
    project.settings_path.write_text('[engine]\nname = "slurm"\n[engine.slurm.devices]\nleft = "slot0"\n')
    with pytest.raises(UsageError, match=r"'lefd' is no device name\. Did you mean 'left'"):
        approvals.propose(plan.model_copy(update={"devices": ["lefd"]}))
    proposed = approvals.propose(plan)
    approvals.decide(proposed.id, "approve", "ada", devices=["left"])  # which this machine does not have
    assert project.wave(1).plan().devices == ["left"]


def test_approving_writes_the_ledger_and_queues_the_wave(project, approvals, plan):
    proposed = approvals.propose(plan)
    decided = approvals.decide(proposed.id, "approve", "ada", "looks right")
    assert (decided.state, decided.decided_by, decided.why, decided.queued) == ("approved", "ada", "looks right", True)
    assert project.wave(1).plan() == plan
    assert rows(project) == [("exp001/s0", "queued"), ("exp001/s1", "queued"), ("exp002/s0", "queued")]
    line = project.ledger.read()[-1]
    assert (line.actor, line.name, line.what, line.why) == ("human", "ada", "approve", "looks right")
    assert line.refs == {"wave": 1, "approval": proposed.id}


def test_without_the_simulator_a_plan_says_so_and_is_not_approved(project, approvals, plan, monkeypatch):
    found = ["isaaclab", "warp"]
    monkeypatch.setattr("wavebook_tools.notebooks.simulator.find_spec", lambda name: None if name in found else name)
    proposed = approvals.propose(plan)
    assert "isaaclab, warp is missing; install it with: pip install 'wavebook[sim]'" in proposed.problem
    with pytest.raises(WavebookError, match="pip install"):
        approvals.decide(proposed.id, "approve", "ada")
    assert (approvals.get(proposed.id).state, project.waves()) == ("pending", [])
    # A template of the project's own that needs none runs.
    write_template(project, "train", "x = 1\n")
    assert approvals.get(proposed.id).problem == ""
    found.clear()
    (project.root / "templates" / "train.ipynb").unlink()
    assert approvals.get(proposed.id).problem == ""
    assert approvals.decide(proposed.id, "approve", "ada").queued


def test_rejecting_queues_nothing(project, approvals, plan):
    proposed = approvals.propose(plan)
    assert approvals.decide(proposed.id, "reject", "ada", "too dear").state == "rejected"
    assert project.waves() == []
    assert decisions(project)[-1] == ("human", "ada", "reject")


@pytest.mark.parametrize("first", ["approve", "reject"])
@pytest.mark.parametrize("second", ["approve", "reject"])
def test_a_plan_is_decided_once(approvals, plan, first, second):
    proposed = approvals.propose(plan)
    approvals.decide(proposed.id, first, "ada")
    with pytest.raises(WavebookError, match="already by ada"):
        approvals.decide(proposed.id, second, "bob")
    assert approvals.get(proposed.id).decided_by == "ada"


def test_two_people_at_once_decide_once(project, approvals, plan):
    proposed = approvals.propose(plan)
    outcomes = []
    start = threading.Barrier(4)

    def decide(name):
        start.wait()
        try:
            outcomes.append(approvals.decide(proposed.id, "approve", name).decided_by)
        except WavebookError:
            outcomes.append(None)

    threads = [threading.Thread(target=decide, args=(f"person{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(name is not None for name in outcomes) == 1
    assert [what for *_, what in decisions(project)].count("approve") == 1
    assert len(rows(project)) == 3


def test_a_plan_that_nobody_decides_expires_to_denied(project, approvals, clock, plan):
    proposed = approvals.propose(plan)
    clock.now = proposed.expires + 1
    assert approvals.get(proposed.id).state == "expired"
    with pytest.raises(WavebookError, match="wave 1 counts as denied: nobody decided in time; ask for it again"):
        approvals.decide(proposed.id, "approve", "ada")
    assert project.waves() == []
    assert decisions(project)[-1] == ("watchdog", "approvals", "expire")
    assert approvals.get(proposed.id).state == "expired"
    assert [what for *_, what in decisions(project)].count("expire") == 1


def test_devices_can_be_chosen_at_approval(project, approvals):
    proposed = approvals.propose(a_plan(devices=["auto"]))
    approvals.decide(proposed.id, "approve", "ada", devices=["cpu"])
    assert project.wave(1).plan().devices == ["cpu"]
    assert approvals.get(proposed.id).plan.devices == ["cpu"]


@pytest.fixture
def cards(monkeypatch):
    """The GPUs that this machine has, as a test changes them."""
    cards = [Device(f"GPU-{name}", "gpu", "H100", index=index) for index, name in enumerate("ab")]
    for module in ("wavebook.agent.submission", "wavebook.agent.estimate", "wavebook_tools.jobs.queue"):
        monkeypatch.setattr(f"{module}.list_devices", lambda: cards)
    return cards


def test_more_gpus_than_the_machine_has_are_refused_as_they_are_proposed(project, approvals, cards):
    with pytest.raises(UsageError, match=r"each run of exp001 wants 4 devices and may take 2 \(0, 1\); .* gpus = 2$"):
        approvals.propose(a_plan(devices=["auto"], num_envs=4, gpus=4))
    pinned = ExperimentSpec(id="exp001", slug="pinned", hypothesis="It runs.", devices=["1"], gpus=2)
    with pytest.raises(UsageError, match=r"may take 1 \(1\); plan for gpus = 1, or let it take 2 of 0, 1$"):
        approvals.propose(a_plan(experiments=[pinned]))
    assert not approvals.list()
    project.settings_path.write_text('[engine]\nname = "slurm"\n')
    approvals.propose(a_plan(devices=["auto"], num_envs=4, gpus=4))  # a cluster's GPUs are not this machine's


def test_a_plan_that_a_choice_of_devices_mends_waits_for_it(project, approvals, cards):
    proposed = approvals.propose(a_plan(devices=["7"], gpus=2))
    with pytest.raises(UsageError, match="'7' fits no device"):
        approvals.decide(proposed.id, "approve", "ada")
    (gone,) = cards[1:]
    cards.remove(gone)
    with pytest.raises(UsageError, match=r"may take 1 \(0\); plan for gpus = 1$"):
        approvals.decide(proposed.id, "approve", "ada", devices=["auto"])
    assert approvals.get(proposed.id).state == "pending"
    cards.append(gone)
    approvals.decide(proposed.id, "approve", "ada", devices=["0", "1"])
    assert project.wave(1).plan().devices == ["0", "1"]


@pytest.mark.parametrize("devices", [["7"], ["gpu0"], []])
def test_devices_that_are_not_there_leave_the_plan_pending(project, approvals, plan, devices):
    proposed = approvals.propose(plan)
    with pytest.raises(UsageError, match="device"):
        approvals.decide(proposed.id, "approve", "ada", devices=devices)
    assert approvals.get(proposed.id) == proposed
    assert "approve" not in [what for *_, what in decisions(project)]


def test_a_plan_that_cannot_run_is_not_proposed(project, approvals):
    wrong = ExperimentSpec(id="exp001", slug="wrong", hypothesis="It helps.", overrides={"env.rewards.nothing": 1})
    with pytest.raises(UsageError, match=r"exp001: override 'env\.rewards\.nothing' is unknown"):
        approvals.propose(a_plan(experiments=[wrong]))
    assert approvals.list() == []
    elsewhere = ExperimentSpec(id="exp001", slug="lost", hypothesis="It helps.", template="nothing")
    with pytest.raises(WavebookError, match="no template 'nothing'"):
        approvals.propose(a_plan(experiments=[elsewhere]))
    assert approvals.list() == []
    assert decisions(project) == []


def test_a_wave_that_the_queue_refuses_stays_pending_and_the_reason_is_kept(project, approvals):
    own = project.root / copy_template(project, "train", "mine").path
    mine = ExperimentSpec(id="exp001", slug="mine", hypothesis="It helps.", template="mine")
    proposed = approvals.propose(a_plan(experiments=[mine]))
    own.unlink()
    with pytest.raises(WavebookError, match="no template 'mine'"):
        approvals.decide(proposed.id, "approve", "ada")
    assert approvals.get(proposed.id).state == "pending"
    assert [what for *_, what in decisions(project)][-2:] == ["approve", "refuse"]


def test_numbers_count_on_over_files_and_waiting_plans(approvals):
    assert approvals.next_numbers().wave == 1
    first = approvals.propose(a_plan())
    assert (approvals.next_numbers().wave, approvals.next_numbers().experiment_id()) == (2, "exp003")
    second = approvals.propose(a_plan(2, 3))
    approvals.decide(first.id, "approve", "ada")
    approvals.decide(second.id, "reject", "ada")
    assert (approvals.next_numbers().wave, approvals.next_numbers().experiment_id()) == (2, "exp003")


@pytest.mark.parametrize(
    ("wave", "experiment", "told"), [(1, 9, "next free number is 2"), (9, 2, "next free one is exp003")]
)
def test_taken_numbers_are_refused_with_the_next_free(approvals, wave, experiment, told):
    approvals.propose(a_plan())
    with pytest.raises(UsageError, match=told):
        approvals.propose(a_plan(wave, experiment))


def test_plans_cannot_bury_the_one_that_a_person_looks_for(approvals, clock, monkeypatch):
    monkeypatch.setattr("wavebook.agent.approvals.MOST_PENDING", 2)
    first = approvals.propose(a_plan())
    approvals.propose(a_plan(2, 3))
    with pytest.raises(UsageError, match=r"2 plans wait for a decision already \(waves 1, 2\)"):
        approvals.propose(a_plan(3, 5))
    approvals.decide(first.id, "reject", "ada")
    assert approvals.propose(a_plan(3, 5)).state == "pending"
    clock.now += approvals.lifetime + 1  # what nobody decided waits no more
    assert approvals.propose(a_plan(4, 7)).state == "pending"


def test_an_unknown_approval_is_told(approvals):
    with pytest.raises(NotFoundError, match="no approval 7"):
        approvals.decide(7, "approve", "ada")
    assert approvals.for_wave(1) is None


def test_the_newest_approval_of_a_wave_counts(approvals):
    first = approvals.propose(a_plan())
    approvals.decide(first.id, "reject", "ada")
    again = approvals.propose(a_plan())
    assert approvals.for_wave(1) == again


def test_the_ledger_comes_before_the_queue(project, approvals, plan):
    proposed = approvals.propose(plan)
    project.ledger.path.unlink()
    project.ledger.path.mkdir()  # a ledger that cannot be written
    with pytest.raises(WavebookError, match="ledger"):
        approvals.decide(proposed.id, "approve", "ada")
    assert project.waves() == []
    project.ledger.path.rmdir()
    assert approvals.get(proposed.id).state == "pending"


class Died(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def die_at(monkeypatch):
    """Lets the process die when a method is called, before it does anything."""

    def arm(owner, name):
        def dies(*_, **__):
            raise Died

        context = pytest.MonkeyPatch.context()
        patch = context.__enter__()
        patch.setattr(owner, name, dies)
        return lambda: context.__exit__(None, None, None)

    return arm


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Approvals, "_note"),  # decided, and not yet in the ledger
        (Approvals, "_submit"),  # in the ledger, and not yet in the queue
        (Queue, "_add"),  # on disk, and not yet in the queue's table
        (WaitingQueue, "ensure_dispatcher"),  # in the queue, and nobody said so
    ],
)
def test_an_approval_survives_the_death_of_its_process(project, approvals, plan, die_at, owner, method, monkeypatch):
    proposed = approvals.propose(plan)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # a dead process tidies nothing up
    revive = die_at(owner, method)
    with pytest.raises(Died):
        approvals.decide(proposed.id, "approve", "ada", "looks right")
    revive()
    monkeypatch.undo()

    later = Approvals(project, queue=WaitingQueue, clock=approvals._clock)
    assert later.recover() == [1]
    assert later.recover() == []
    assert later.get(proposed.id).queued
    assert later.get(proposed.id).decided_by == "ada"
    assert [what for *_, what in decisions(project)].count("approve") == 1
    assert rows(project) == [("exp001/s0", "queued"), ("exp001/s1", "queued"), ("exp002/s0", "queued")]


def test_half_written_folders_of_a_dead_submission_are_written_anew(project, approvals, plan, die_at, monkeypatch):
    proposed = approvals.propose(plan)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    written = []

    def dies_at_the_third(path, document):
        if len(written) == 2:
            raise Died
        written.append(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")

    monkeypatch.setattr("wavebook_tools.jobs.queue.write_json", dies_at_the_third)
    with pytest.raises(Died):
        approvals.decide(proposed.id, "approve", "ada")
    monkeypatch.undo()
    assert not (project.waves_path / plan.folder / "wave.json").exists()

    assert approvals.recover() == [1]
    assert project.wave(1).plan() == plan
    assert {run.spec().id for run in project.runs()} == {"exp001/s0", "exp001/s1", "exp002/s0"}


def test_an_approved_wave_that_is_not_queued_can_be_queued_by_hand(project, approvals, plan, die_at):
    proposed = approvals.propose(plan)
    revive = die_at(Approvals, "_submit")
    with pytest.raises(Died):
        approvals.decide(proposed.id, "approve", "ada")
    revive()
    assert approvals.queue_wave(1).queued
    with pytest.raises(WavebookError, match="submitted before"):
        approvals.queue_wave(1)
    assert len(rows(project)) == 3


@pytest.mark.parametrize(("verb", "told"), [(None, "is pending"), ("reject", "is rejected")])
def test_only_an_approved_wave_can_be_queued(approvals, plan, verb, told):
    proposed = approvals.propose(plan)
    if verb:
        approvals.decide(proposed.id, verb, "ada")
    with pytest.raises(WavebookError, match=told):
        approvals.queue_wave(1)


def _propose(root, wave, experiment, outcome):
    from wavebook_tools.records.project import Project

    try:
        Approvals(Project(root)).propose(a_plan(wave, experiment))
        outcome.put(True)
    except UsageError:
        outcome.put(False)


def test_two_processes_cannot_propose_the_same_wave(project):
    context = multiprocessing.get_context("fork")
    outcome = context.Queue()
    workers = [context.Process(target=_propose, args=(project.root, 1, 1, outcome)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(outcome.get(timeout=10) for _ in workers) == 1
    assert len(Approvals(project).list()) == 1


def test_overrides_keep_their_types(approvals):
    proposed = approvals.propose(a_plan())
    assert approvals.get(proposed.id).plan.experiments[1].overrides == {WEIGHT: 6.0}
