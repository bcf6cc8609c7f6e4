"""From the form to the queue: what is refused, what is written, and by whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from tests.jobs.conftest import EVALUATION, TRAINING, notebook_template, small_plan
from wavebook.agent.approvals import Approvals
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.widgets import submission
from wavebook_tools.widgets.form import SubmitForm
from wavebook_tools.widgets.submission import Request, parse_overrides, parse_seeds, submit

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"

GOOD = Request(
    notebook="quick",
    task="Wavebook-Velocity-Flat-DHAV1",
    name="",
    hypothesis="A heavier reward tracks better",
    num_envs=2,
    iterations=3,
    seeds="0",
    overrides=f"{WEIGHT} = 2.5",
    devices=("cpu",),
)


def files(project: Project) -> set[Path]:
    """What a person would find in the project; the queue's own state aside."""
    return {path for path in project.root.rglob("*") if project.state_path not in path.parents}


@pytest.mark.parametrize(
    ("text", "seeds"), [("0", [0]), ("0, 1,2", [0, 1, 2]), ("3-5 9", [3, 4, 5, 9]), ("0-31", list(range(32)))]
)
def test_seeds_are_read_as_people_write_them(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


def test_overrides_are_read_as_people_write_them() -> None:
    text = 'a.b = 2\n\n c.d=[1, 2.5]\ne = true\nf = None\ng = "text"\nh = plain text\ni = (1, 2)'
    assert parse_overrides(text) == {
        "a.b": 2,
        "c.d": [1, 2.5],
        "e": True,
        "f": None,
        "g": "text",
        "h": "plain text",
        "i": (1, 2),
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hypothesis": " "}, "hypothesis: say in a sentence"),
        ({"seeds": ""}, "seeds: give at least one"),
        ({"seeds": "one"}, "seeds: 'one' is no seed"),
        ({"seeds": "5-1"}, "no range"),
        ({"seeds": "0-1000"}, "no range"),
        ({"seeds": "1 1"}, "the same seed stands twice"),
        ({"overrides": "env.rewards"}, "is no override"),
        ({"overrides": "a = 1\na = 2"}, "'a' stands twice"),
        ({"overrides": f"{WEIGHT}s = 1"}, "Did you mean"),
        ({"overrides": f"{WEIGHT} = heavy"}, "'heavy' is a text; give a number"),
        ({"num_envs": 0}, "num_envs"),
        ({"iterations": -3}, "iterations"),
        ({"priority": 5000}, "priority"),
        ({"gpus": 2}, "wants 2 devices"),
        ({"gpus": 2, "share": True}, "cannot share"),
        ({"devices": ()}, "devices: choose at least one"),
        ({"devices": ("GPU-none",)}, "fits no device"),
        ({"task": "Wavebook-Velocity-Flat"}, "there is no task"),
        ({"notebook": ""}, "notebook: choose one"),
        ({"notebook": "quik"}, "Did you mean 'quick'"),
        ({"notebook": "../secret.ipynb"}, "lies outside the project"),
        ({"notebook": "/etc/secret.ipynb"}, "lies outside the project"),
        ({"notebook": "absent.ipynb"}, "no notebook 'absent.ipynb'"),
        ({"notebook": "broken.ipynb"}, "no valid notebook"),
        ({"notebook": "bare.ipynb"}, "no cell tagged 'parameters'"),
    ],
)
def test_bad_input_is_explained_and_writes_nothing(project: Project, wrong: dict[str, object], said: str) -> None:
    (project.root / "broken.ipynb").write_text("{")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), project.root / "bare.ipynb")
    before = files(project)
    with pytest.raises(WavebookError, match=said):
        submit(project, replace(GOOD, **wrong), "somebody")  # type: ignore[arg-type]
    assert files(project) == before
    with Queue(project) as queue:
        assert queue.store.all() == []


def test_all_problems_are_told_at_once(project: Project) -> None:
    with pytest.raises(UsageError) as caught:
        submit(project, replace(GOOD, hypothesis="", seeds="x", overrides="y"), "somebody")
    assert len(str(caught.value).splitlines()) == 3


def test_a_submitted_template_runs_and_the_ledger_says_who(project: Project, queue: Queue) -> None:
    runs = submit(project, replace(GOOD, seeds="0, 1", name="Heavier!", priority=2), "somebody")
    assert runs == ["exp001/s0", "exp001/s1"]
    assert queue.wait(runs[:1], timeout=60)
    assert queue.store.all()[0].state == "done"
    spec = project.run("exp001/s0").spec()
    assert (spec.overrides, spec.devices, spec.priority, spec.slug) == ({WEIGHT: 2.5}, ["cpu"], 2, "heavier")
    decisions = [decision for decision in project.ledger.read() if decision.what == "submit"]
    assert [(d.actor, d.name, d.refs["wave"], d.refs["runs"]) for d in decisions] == [("human", "somebody", 1, runs)]
    assert submit(project, GOOD, "somebody") == ["exp002/s0"]  # numbers go on


def test_numbers_of_plans_that_wait_for_approval_are_left_free(project: Project, queue: Queue) -> None:
    Approvals(project).propose(small_plan(1))
    plan = submission.plan_of(project, GOOD, "train")
    assert (plan.id, plan.experiments[0].id) == (2, "exp002")


def test_a_notebook_of_the_project_runs_and_is_repeated_as_it_was(project: Project, queue: Queue) -> None:
    own = project.root / "studies" / "own.ipynb"
    own.parent.mkdir()
    nbformat.write(notebook_template("mark = 'first'", "raise ValueError(mark)"), own)
    assert "studies/own.ipynb" in submission.notebooks(project)
    runs = submit(project, replace(GOOD, notebook="studies/own.ipynb"), "somebody")
    assert queue.wait(runs, timeout=60)
    assert queue.store.all()[0].state == "failed"

    nbformat.write(notebook_template(TRAINING, EVALUATION), own)
    repeat = queue.retry_wave(1, "somebody")
    assert "mark = 'first'" in project.run(repeat[0]).notebook_path.read_text()
    again = submit(project, replace(GOOD, notebook="studies/own.ipynb"), "somebody")
    assert queue.wait([*repeat, *again], timeout=60)
    assert [row.state for row in queue.store.all()] == ["failed", "failed", "done"]


def test_the_form_takes_what_a_notebook_has_by_itself(project: Project) -> None:
    found = submission.defaults(project, "train")
    assert isinstance(found["num_envs"], int)
    assert isinstance(found["task"], str)
    assert submission.defaults(project, "../../etc/x.ipynb") == {}


def test_another_notebook_brings_its_numbers_but_not_over_typed_ones(project: Project) -> None:
    form = SubmitForm(project)
    form._notebook.value = "quick"
    assert form.request().iterations == 1
    form._iterations.value = 300
    form._notebook.value = "train"
    assert form.request().iterations == 300
