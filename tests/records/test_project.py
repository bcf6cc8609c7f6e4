"""Projects, plans and settings: what is written comes back, what is wrong is told by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.records.files import inside, write_atomic, write_json
from wavebook_tools.records.ledger import Ledger
from wavebook_tools.records.plan import ExperimentSpec, WavePlan, slugify
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunId, RunSpec
from wavebook_tools.records.settings import read_settings


def plan(**changes: object) -> WavePlan:
    fields: dict[str, object] = {
        "id": 1,
        "slug": "first",
        "goal": "Track velocity better",
        "task": "Wavebook-Velocity-Flat-DHAV1",
        "num_envs": 64,
        "iterations": 10,
        "experiments": [ExperimentSpec(id="exp001", slug="base", hypothesis="It walks", seeds=[0, 1])],
    }
    return WavePlan.model_validate({**fields, **changes})


def test_a_spec_merges_the_overrides_of_wave_and_experiment() -> None:
    experiment = ExperimentSpec(id="exp001", slug="a", hypothesis="h", overrides={"agent.b": 2, "agent.c": 3})
    spec = RunSpec.from_plan(plan(overrides={"agent.a": 1, "agent.b": 1}, experiments=[experiment]), experiment, seed=4)
    assert spec.overrides == {"agent.a": 1, "agent.b": 2, "agent.c": 3}
    assert spec.id == "exp001/s4"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"slug": "../../etc"}, "slug"),
        ({"experiments": []}, "experiments"),
        ({"budget": {"max_runs": 1}}, "2 runs are planned and the budget allows 1"),
        ({"num_envs": 0}, "num_envs"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_plan_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        plan(**changes)


def test_the_same_seed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="a replicate needs another seed"):
        ExperimentSpec(id="exp001", slug="a", hypothesis="h", seeds=[3, 3])


@pytest.mark.parametrize("text", ["exp1/s0", "exp001", "exp001/s0/../..", "exp001/s0-r0", "s0", ""])
def test_what_is_no_run_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="does not name a run"):
        RunId(text)


def test_a_run_name_has_its_parts() -> None:
    run_id = RunId("exp012/s3-r2")
    assert (run_id.experiment, run_id.seed, run_id.repeat, run_id.folder) == ("exp012", 3, 2, "s3-r2")
    assert RunId.of("exp012", 3) == "exp012/s3"


def test_a_project_is_found_from_below_and_its_runs_by_name(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    wave = plan()
    spec = RunSpec.from_plan(wave, wave.experiments[0], 1)
    folder = project.run_folder(wave, spec)
    write_json(folder / "spec.json", spec)
    write_json(project.waves_path / wave.folder / "wave.json", wave)
    assert Project.find(folder).root == project.root
    assert project.run("exp001/s1").spec() == spec
    assert project.wave(1).plan() == wave
    with pytest.raises(NotFoundError, match=r"'exp001/s2'.*Did you mean 'exp001/s1'"):
        project.run("exp001/s2")
    with pytest.raises(NotFoundError, match=r"there is no wave 2 .* waves here: 1"):
        project.wave(2)


def test_a_folder_without_a_project_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="wavebook plan"):
        Project.find(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(WavebookError, match=r"/proc/project cannot be written.*--project"):
        Project.create(Path("/proc/project"))  # nobody may write there, not even root


def test_a_project_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WavebookError, match=r"cannot be written.*--project"):
        Project.create(tmp_path / "file" / "p")


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "waves/../../outside", "link/inside"])
def test_paths_stay_below_the_project(tmp_path: Path, path: str) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="outside the project"):
        inside(root, path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_damaged_record_names_file_and_field(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    wave = plan()
    path = project.run_folder(wave, RunSpec.from_plan(wave, wave.experiments[0], 0)) / "spec.json"
    write_atomic(path, '{"format": 1, "id": "exp001/s0"}')
    with pytest.raises(WavebookError, match=r"spec\.json is damaged: wave: Field required \(and \d+ more\)"):
        project.run("exp001/s0").spec()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[planner.claude]\nmodell = 'x'\n", "'planner.claude.modell'. Did you mean 'planner.claude.model'"),
        ("[training]\nnum_env = 5\n", "unknown setting 'training.num_env'. Did you mean 'training.num_envs'"),
        ("[training]\nnum_envs = 'many'\n", "training.num_envs"),
        ("[training\n", "is not TOML"),
    ],
)
def test_wrong_settings_are_told_by_name(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "wavebook.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_settings(path)


def test_the_ledger_appends_and_reads_over_damage(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append("human", "ana", "approve", why="looks right", wave=1)
    with open(ledger.path, "a") as stream:
        stream.write("not json\n")
    ledger.append("watchdog", "hang", "end", runs=["exp001/s0"])
    assert [(d.actor, d.what, d.refs) for d in ledger.read()] == [
        ("human", "approve", {"wave": 1}),
        ("watchdog", "end", {"runs": ["exp001/s0"]}),
    ]


@pytest.mark.parametrize(
    ("text", "slug"),
    [("Make DHAV1 track velocity better, on rough ground!", "make-dhav1-track-velocity-better-on"), ("…", "wave")],
)
def test_slugs_are_folder_names(text: str, slug: str) -> None:
    assert slugify(text) == slug
