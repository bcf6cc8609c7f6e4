"""The papermill engine, with a real kernel."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from nbclient.exceptions import DeadKernelError
from papermill.engines import papermill_engines

from tests.jobs.conftest import TRAINING, notebook_template
from wavebook_tools.errors import UsageError
from wavebook_tools.notebooks.engine import STREAM_LIMIT, WavebookEngine
from wavebook_tools.notebooks.rendering import provenance
from wavebook_tools.notebooks.session import RunSession
from wavebook_tools.records.events import EventWriter, read_events
from wavebook_tools.records.files import write_json
from wavebook_tools.records.run import RunSpec


def execute(folder: Path, *cells: str) -> nbformat.NotebookNode:
    papermill_engines.register("wavebook", WavebookEngine)
    source = folder / "source.ipynb"
    nbformat.write(notebook_template(*cells), source)
    with contextlib.closing(EventWriter(folder / "events.jsonl")) as events:
        papermill.execute_notebook(
            str(source),
            None,
            engine_name="wavebook",
            progress_bar=False,
            save_path=folder / "notebook.ipynb",
            events=events,
            run_log=folder / "log.txt",
        )
    return nbformat.read(folder / "notebook.ipynb", as_version=4)


def spec(folder: Path) -> RunSpec:
    made = RunSpec(
        id="exp001/s0",
        wave=1,
        experiment="exp001",
        slug="a",
        hypothesis="<script>alert(1)</script> [click](javascript:x)",
        task="T",
        seed=0,
        num_envs=2,
        iterations=3,
    )
    write_json(folder / "spec.json", made)
    return made


def test_the_log_has_all_and_the_notebook_a_bounded_share(tmp_path: Path) -> None:
    cell = "for i in range(40):\n    print(f'{i:03d}', 'x' * 20_000, flush=True)"
    notebook = execute(tmp_path, cell)
    kept = "".join(output.text for output in notebook.cells[-1].outputs)
    assert STREAM_LIMIT <= len(kept) < STREAM_LIMIT + 100
    assert "more of this stands in log.txt" in kept
    log = (tmp_path / "log.txt").read_text()
    assert all(f"{i:03d} x" in log for i in range(40))


def test_secrets_reach_neither_the_notebook_nor_the_log_nor_the_events(tmp_path: Path) -> None:
    key, password = "sk-ant-" + "a1B2" * 8, "correct-horse-battery"
    cell = (
        "from IPython.display import HTML, JSON, display\n"
        f"print('calling with {key}')\ndisplay(HTML('<b>password={password}</b>'))\n"
        f"display(JSON({{'account': ['{key}']}}))\n"
        "import sys\nraise RuntimeError('refused: ' + 'Bearer ' + 'abcdefgh' * 3)"
    )
    with pytest.raises(papermill.PapermillExecutionError):
        execute(tmp_path, cell)
    outputs = json.dumps(nbformat.read(tmp_path / "notebook.ipynb", as_version=4).cells[-1].outputs)
    assert "[redacted key]" in outputs
    for name in ("log.txt", "events.jsonl"):
        text = (tmp_path / name).read_text()
        assert "[redacted" in text
        outputs += text
    for secret in (key, f"<b>password={password}", "abcdefgh" * 3):
        assert secret not in outputs, secret


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        (["sk-ant-a1B2a", "1B2" * 8, " is it\n"], "[redacted key] is it\n"),
        (["sk-ant-" + "a1B2" * 8, "c3D4" * 4, "\n"], "[redacted key]\n"),
        (
            ["-----BEGIN PRIVATE KEY-----\n", "MIIEvQIBADANBg\n", "-----END PRIVATE KEY-----\n"],
            "[redacted private key]\n",
        ),
    ],
)
def test_a_secret_that_is_printed_in_pieces_is_told_nowhere(tmp_path: Path, pieces: list[str], told: str) -> None:
    cell = (
        f"import sys, time\nfor piece in {[[piece[:9], piece[9:]] for piece in pieces]!r}:\n"
        "    for half in piece:\n"
        "        sys.stdout.write(half)\n        sys.stdout.flush()\n        time.sleep(0.2)"
    )
    notebook = execute(tmp_path, cell)
    assert [output.text for output in notebook.cells[-1].outputs] == [told]
    assert (tmp_path / "log.txt").read_text().startswith(told)  # libzmq may say something as the kernel ends
    assert "".join(event["text"] for event in read_events(tmp_path / "events.jsonl") if event["kind"] == "log") == told


def test_a_line_without_an_end_is_told_in_its_place(tmp_path: Path) -> None:
    reader = f"print(open({str(tmp_path / 'log.txt')!r}).read() == 'waiting')"
    cell = (
        "import sys, time\nfrom IPython.display import HTML, display\n"
        "print('wait', end='', flush=True)\ntime.sleep(0.5)\nprint('ing', end='', flush=True)\ntime.sleep(2.1)\n"
        f"{reader}\nprint('before', end='', flush=True)\ndisplay(HTML('<b>between</b>'))\nprint('last', end='')"
    )
    outputs = execute(tmp_path, cell).cells[-1].outputs
    assert [output.output_type for output in outputs] == ["stream", "display_data", "stream"]
    assert [outputs[0].text, outputs[2].text] == ["waitingTrue\nbefore", "last"]


def test_a_line_without_an_end_is_not_lost_with_its_kernel(tmp_path: Path) -> None:
    with pytest.raises(DeadKernelError):
        execute(
            tmp_path,
            "import os, time\nprint('last words', end='', flush=True)\ntime.sleep(0.3)\nos.kill(os.getpid(), 9)",
        )
    assert "last words" in (tmp_path / "log.txt").read_text()


def test_what_a_c_library_prints_reaches_the_log(tmp_path: Path) -> None:
    execute(tmp_path, "import os\nos.write(1, b'from below python\\n')")
    assert "from below python" in (tmp_path / "log.txt").read_text()


def test_events_come_while_the_notebook_runs_and_the_file_is_always_whole(tmp_path: Path) -> None:
    # The second cell reads what stands on disk while it runs itself.
    reader = (
        "import json, time\ntime.sleep(0.3)\n"
        f"events = [json.loads(line) for line in open({str(tmp_path / 'events.jsonl')!r})]\n"
        f"saved = json.load(open({str(tmp_path / 'notebook.ipynb')!r}))\n"
        "print([(e['kind'], e.get('status')) for e in events], saved['cells'][2]['outputs'][0]['text'])"
    )
    notebook = execute(tmp_path, "print('first')", reader)
    printed = "".join(notebook.cells[-1].outputs[0].text)
    assert "('cell', 'done')" in printed
    assert "first" in printed


def test_the_engine_is_known_to_papermill_by_name(tmp_path: Path) -> None:
    nbformat.write(notebook_template("print(run)"), tmp_path / "in.ipynb")
    code = (
        "import papermill, sys; papermill.execute_notebook(sys.argv[1], sys.argv[2], {'run': 'exp009/s9'}, "
        "engine_name='wavebook', progress_bar=False)"
    )
    status = os.spawnv(
        os.P_WAIT, sys.executable, [sys.executable, "-c", code, f"{tmp_path}/in.ipynb", f"{tmp_path}/out.ipynb"]
    )
    assert status == 0
    assert "exp009/s9" in json.dumps(nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs)


def test_a_notebook_executed_by_hand_records_a_repeat_and_leaves_the_original(tmp_path: Path) -> None:
    folder = tmp_path / "exp001-a" / "s0"
    folder.mkdir(parents=True)
    original = spec(folder)
    (folder / "result.json").write_text("{}")
    for repeat in (1, 2):
        session = RunSession.open("exp001/s0", folder)
        session.iteration(0, {"Train/mean_reward": 1.0})
        assert session.by_hand
        assert session.spec.id == f"exp001/s0-r{repeat}"
        assert session.spec.overrides == original.overrides
    assert (folder / "result.json").read_text() == "{}"
    assert not (folder / "events.jsonl").exists()
    assert [e["kind"] for e in read_events(tmp_path / "exp001-a" / "s0-r1" / "events.jsonl")] == ["state", "metric"]


def test_an_alert_of_a_notebook_tells_no_secret(tmp_path: Path) -> None:
    spec(tmp_path)
    key = "sk-ant-" + "a1B2" * 8
    session = RunSession.open("exp001/s0", tmp_path)
    session.alert("odd", f"refused with {key}", evidence={"sent": [key]})
    alerts = [e for e in read_events(session.record.events_path) if e["kind"] == "alert"]
    assert alerts[0]["message"] == "refused with [redacted key]"
    assert alerts[0]["evidence"] == {"sent": ["[redacted key]"]}


def test_names_of_metrics_tell_no_secret(tmp_path: Path) -> None:
    spec(tmp_path)
    key = "sk-ant-" + "a1B2" * 8
    session = RunSession.open("exp001/s0", tmp_path)
    session.iteration(0, {f"Reward/{key}": 1.0, "Train/mean_reward": 2.0})
    protocol = {"name": "wavebook", "version": 1, "hash": "test"}
    measured = {"error_vel_xy": 0.1, "error_vel_yaw": 0.2, "time_out": 1.0, "num_envs": 2, f"rate {key}": 3.0}
    session.finish(
        {"protocol": protocol, **measured}, device="cpu", train_seconds=1.0, env_steps_per_second=1.0, log=f"{key}.txt"
    )
    (metrics,) = (e for e in read_events(session.record.events_path) if e["kind"] == "metric")
    assert metrics["values"] == {"Reward/[redacted key]": 1.0, "Train/mean_reward": 2.0}
    result = json.loads(session.record.result_path.read_text())
    assert (result["rate [redacted key]"], result["log"]) == (3.0, "[redacted key].txt")


def test_a_notebook_of_another_run_is_refused(tmp_path: Path) -> None:
    spec(tmp_path)
    with pytest.raises(UsageError, match="names the run 'exp002/s0' and lies in the folder of 'exp001/s0'"):
        RunSession.open("exp002/s0", tmp_path)
    with pytest.raises(UsageError, match=r"no spec\.json"):
        RunSession.open("exp001/s0", tmp_path / "elsewhere")


def test_what_a_planner_wrote_opens_no_html_in_the_record(tmp_path: Path) -> None:
    text = provenance(spec(tmp_path))
    assert "<script" not in text
    assert "[click](" not in text
    assert "Goes on from" not in text


def test_a_resumed_run_says_in_its_notebook_what_it_goes_on_from(tmp_path: Path) -> None:
    resumed = {"resumed_from": "exp001/s0", "checkpoint": "waves/001-a/exp001-b/s0/checkpoints/model_30.pt"}
    assert "Goes on from `exp001/s0` at `model_30.pt`." in provenance(spec(tmp_path).model_copy(update=resumed))


def test_a_failing_cell_is_saved_with_its_traceback_and_told_as_an_event(tmp_path: Path) -> None:
    with pytest.raises(papermill.PapermillExecutionError, match=r"no spec\.json"):
        execute(tmp_path, TRAINING)
    notebook = nbformat.read(tmp_path / "notebook.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[-1].output_type == "error"
    failed = [e for e in read_events(tmp_path / "events.jsonl") if e.get("status") == "failed"]
    assert "UsageError" in failed[0]["error"]
