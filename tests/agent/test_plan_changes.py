from __future__ import annotations

import pytest

from tests.agent.conftest import WEIGHT, a_plan
from wavebook.agent.plan_changes import ExperimentChanges, FieldsError, PlanChanges
from wavebook.agent.standing import StandingBudgets, approve_within_budget
from wavebook_tools.errors import UsageError, WavebookError


def test_the_changed_plan_is_what_runs_and_the_ledger_tells_the_changes(project, approvals):
    proposed = approvals.propose(a_plan())
    changes = PlanChanges(
        drop=["exp001"], experiments={"exp002": ExperimentChanges(overrides={WEIGHT: 3.0}, seeds=[0, 5])}
    )
    decided = approvals.decide(proposed.id, "approve", "ada", changes=changes)
    plan = project.wave(1).plan()
    assert [experiment.id for experiment in plan.experiments] == ["exp002"]
    assert (plan.experiments[0].overrides, plan.experiments[0].seeds) == ({WEIGHT: 3.0}, [0, 5])
    assert decided.plan == plan
    assert decided.estimate.runs == 2
    line = project.ledger.read()[-2]
    assert (line.actor, line.name, line.what) == ("human", "ada", "change")
    assert line.why == f"exp001 dropped; exp002 {WEIGHT}: 6.0 -> 3.0; exp002 seeds: 0 -> 0, 5"


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"experiments": {"exp002": {"overrides": {WEIGHT: "much"}}}}, f"exp002.overrides.{WEIGHT}", "give a number"),
        ({"experiments": {"exp002": {"overrides": {"env.x": 1}}}}, "exp002.overrides.env.x", "does not override"),
        ({"experiments": {"exp002": {"seeds": [1, 1]}}}, "exp002.seeds", "seed"),
        ({"experiments": {"exp002": {"seeds": []}}}, "exp002.seeds", "at least 1"),
        ({"experiments": {"exp002": {"seeds": [0, "two"]}}}, "exp002.seeds", "two is no seed"),
        ({"experiments": {"exp002": {"seeds": [1.5]}}}, "exp002.seeds", "1.5 is no seed"),
        ({"experiments": {"exp002": {"seeds": [2**31]}}}, "exp002.seeds", "is no seed"),
        ({"experiments": {"exp002": {"seeds": list(range(32))}}}, "plan", "budget"),
        ({"devices": ["gpu0"]}, "devices", "no device name"),
        ({"drop": ["exp001", "exp002"]}, "plan", "reject"),
        ({"drop": ["exp009"]}, "plan", "no experiment"),
    ],
)
def test_what_cannot_be_changed_is_told_at_its_field_and_stays_pending(approvals, changes, field, told):
    proposed = approvals.propose(a_plan())
    with pytest.raises(FieldsError, match=told) as caught:
        approvals.decide(proposed.id, "approve", "ada", changes=PlanChanges.model_validate(changes))
    assert list(caught.value.fields) == [field]
    assert approvals.get(proposed.id) == proposed


def test_an_approval_tells_what_the_task_has_without_it(approvals):
    assert approvals.propose(a_plan()).base == {WEIGHT: 3.0}


def test_a_standing_budget_approves_what_it_covers_and_nothing_more(project, approvals):
    budgets = StandingBudgets(project)
    budgets.grant(3, 2.0, "ada")
    covered, why = approve_within_budget(approvals, approvals.propose(a_plan()))
    assert (covered.state, covered.decided_by) == ("approved", "ada")
    assert "standing budget" in why
    larger = a_plan(2, 3, experiments=[e.model_copy(update={"seeds": [0, 1]}) for e in a_plan(2, 3).experiments])
    waits, why = approve_within_budget(approvals, approvals.propose(larger))
    assert waits.state == "pending"
    assert "4 runs and the standing budget allows 3" in why
    budgets.revoke("ada")
    assert approve_within_budget(approvals, waits) == (waits, "")


def test_gpu_hours_are_taken_from_the_standing_budget_once(project):
    budgets = StandingBudgets(project)
    budget = budgets.grant(6, 2.0, "ada")
    assert budgets.reserve(a_plan(), 1.5) == budget
    assert "0.5 are left" in budgets.reserve(a_plan(), 0.6)
    assert "no earlier run" in budgets.reserve(a_plan(), None)
    budgets.give_back(budget, 1.5)
    assert StandingBudgets(project).current().left == 2.0
    with pytest.raises(UsageError, match="gpu_hours"):
        budgets.grant(6, float("nan"), "ada")
    budgets.revoke("ada")
    with pytest.raises(WavebookError, match="no standing budget"):
        budgets.revoke("ada")
