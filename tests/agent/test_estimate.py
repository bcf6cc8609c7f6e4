import json

import pytest

from tests.agent.conftest import a_plan
from tests.projects import Drawn, draw_wave
from wavebook.agent.estimate import estimate
from wavebook_tools.jobs.devices import Device


def measured(root, *, seconds: float, **fields: str):
    """A project with one finished run of 64 robots and 60 iterations that took so long, 48 s of it training.

    ``fields`` go into its result.
    """
    project = draw_wave(root, [Drawn("baseline", {0: 0.3}, baseline=True)])
    (run,) = project.runs()
    events = [json.loads(line) for line in run.events_path.read_text().splitlines()]
    events[-1]["t"] = events[0]["t"] + seconds
    run.events_path.write_text("".join(json.dumps(event) + "\n" for event in events))
    run.result_path.write_text(json.dumps(json.loads(run.result_path.read_text()) | fields))
    return project


def test_nothing_is_guessed_without_an_earlier_run(project):
    guess = estimate(project, a_plan())
    assert (guess.runs, guess.seconds, guess.gpu_hours) == (3, None, 0.0)


def test_training_is_scaled_and_the_rest_is_not(tmp_path):
    project = measured(tmp_path, seconds=60)
    guess = estimate(project, a_plan(num_envs=64, iterations=120))
    # Each of three runs: 12 s of everything else and twice 48 s of training, one after the other on one CPU.
    assert guess.seconds == pytest.approx(3 * (12 + 96))
    assert guess.gpu_hours == 0.0


def test_more_robots_take_longer_and_fewer_are_not_promised_to_be_faster(tmp_path):
    project = measured(tmp_path, seconds=60)
    assert estimate(project, a_plan(num_envs=128, iterations=60)).seconds == pytest.approx(3 * (12 + 96))
    assert estimate(project, a_plan(num_envs=8, iterations=60)).seconds == pytest.approx(3 * 60)


def test_runs_that_share_a_device_go_side_by_side(tmp_path):
    project = measured(tmp_path, seconds=60)
    project.settings_path.write_text("[devices]\nruns_per_gpu = 2\n")
    alone, shared = (a_plan(num_envs=64, iterations=60, share=share) for share in (False, True))
    assert estimate(project, alone).seconds == pytest.approx(3 * 60)
    assert estimate(project, shared).seconds == pytest.approx(2 * 60)
    project.settings_path.write_text("[devices]\nruns_per_gpu = 2\n\n[queue]\nmax_running = 1\n")
    assert estimate(project, shared).seconds == pytest.approx(3 * 60)


def test_runs_of_another_task_tell_nothing(tmp_path):
    project = measured(tmp_path, seconds=60)
    assert estimate(project, a_plan(task="Wavebook-Velocity-Rough-DHAV1")).seconds is None


def test_a_time_of_other_devices_says_so(tmp_path, monkeypatch):
    project = measured(tmp_path, seconds=60, device="cuda:0", device_name="NVIDIA H200")
    on_cpu = estimate(project, a_plan(devices=["auto"]))
    assert (on_cpu.seconds, on_cpu.measured_on) == (None, ["NVIDIA H200"])
    for name, told in (("NVIDIA H200", []), ("NVIDIA L4", ["NVIDIA H200"])):
        gpus = [Device(id="GPU-1", kind="gpu", name=name, index=0)]
        monkeypatch.setattr("wavebook.agent.estimate.list_devices", lambda gpus=gpus: gpus)
        guess = estimate(project, a_plan(devices=["auto"], num_envs=64, iterations=60))
        assert (guess.seconds, guess.measured_on) == (pytest.approx(3 * 60), told)


def test_a_damaged_record_is_passed_over(tmp_path):
    project = measured(tmp_path, seconds=60)
    (run,) = project.runs()
    run.result_path.write_text("{")
    assert estimate(project, a_plan()).seconds is None
