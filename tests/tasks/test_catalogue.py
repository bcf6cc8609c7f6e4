import json
import subprocess
import sys

import pytest

from wavebook_tools.errors import WavebookError
from wavebook_tools.tasks import load_tasks


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Installs a distribution that declares tasks, as pip would leave it."""

    def install(source: str) -> None:
        (tmp_path / "walking_tasks.py").write_text(source)
        metadata = tmp_path / "walking_tasks-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: walking-tasks\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[wavebook.tasks]\nwalking = walking_tasks:tasks\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        load_tasks.cache_clear()

    yield install
    sys.modules.pop("walking_tasks", None)
    load_tasks.cache_clear()


def declaring(document: dict) -> str:
    return f"import json\ndef tasks():\n    return [json.loads({json.dumps(document)!r})]\n"


def test_the_tasks_are_read_without_a_simulator():
    source = (
        "import sys; from wavebook_tools.tasks import load_tasks; assert load_tasks();"
        "print(sorted({'torch', 'isaaclab', 'warp', 'newton', 'rsl_rl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_tasks_of_dhav1_are_declared_with_ranges_around_their_defaults():
    tasks = load_tasks()
    assert {"Wavebook-Velocity-Flat-DHAV1", "Wavebook-Velocity-Rough-DHAV1"} <= set(tasks)
    flat = tasks["Wavebook-Velocity-Flat-DHAV1"]
    assert flat.search
    for entry in flat.search:
        default = flat.parameters[entry.name].default
        assert entry.low <= default <= entry.high, entry.name


def test_a_plug_in_adds_its_tasks(plug_in):
    plug_in(declaring({"format": 1, "task": "Hop", "parameters": {"env.height": {"type": "float", "default": 1.0}}}))
    assert load_tasks()["Hop"].parameters["env.height"].default == 1.0


def test_a_plug_in_that_cannot_be_imported_is_named(plug_in):
    plug_in("import a_library_that_is_not_there\n")
    with pytest.raises(WavebookError, match=r"'walking'.*a_library_that_is_not_there"):
        load_tasks()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"format": 1, "task": "Hop", "parameters": {"env.height": {"type": "metres"}}}, r"Hop wrongly.*env\.height"),
        ({"format": 2, "task": "Hop", "parameters": {}}, "Hop wrongly.*format"),
        (
            {"format": 1, "task": "Hop", "parameters": {}, "search": [{"name": "env.height", "low": 0, "high": 1}]},
            "Hop wrongly.*env.height",
        ),
    ],
)
def test_a_wrong_declaration_is_told_by_task_and_field(plug_in, document, told):
    plug_in(declaring(document))
    with pytest.raises(WavebookError, match=told):
        load_tasks()
