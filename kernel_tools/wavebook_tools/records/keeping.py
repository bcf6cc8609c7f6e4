"""Keeps waves as a small record of their own: what people read of them, without what only their machine needs."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.project import Project, RunRecord, WaveRecord
from wavebook_tools.records.redaction import redact

LIMIT = 15_000_000
"""Largest record [bytes]."""

POINTS = 300
"""Iterations of a run whose metrics are kept, evenly spread, the first and the last among them."""

REPORT = "report.ipynb"
"""The campaign's report, in the project's folder."""

DIGITS = 6
"""Significant digits of a metric that are kept; the record says no more of a run on a GPU, which no other repeats."""

Slim = Callable[[Path, Path], None]
"""Writes a checkpoint's policy, the first argument, to the second."""


def keep(
    project: Project,
    waves: Sequence[WaveRecord],
    target: Path,
    *,
    limit: int = LIMIT,
    points: int = POINTS,
    slim: Slim | None = None,
    policies: Collection[str] | None = None,
    beside: Sequence[str] = (),
) -> int:
    """Copy waves into a folder that is a project itself.

    Kept are the ledger, plans, reports and, of each run, its input, result, notebook, log, events with some of its
    metrics, how it was cancelled, the stacks of a hang, and what the guard wrote down of broken robots. Secrets and the
    paths of this machine are taken out of texts.

    Args:
        project: Where the waves are.
        waves: Those to keep.
        target: The new folder; it must not be there.
        limit: Largest size of all files [bytes].
        points: Iterations of each run whose metrics are kept.
        slim: Writes the policy of a run's last checkpoint; without it no checkpoint is kept.
        policies: Ids of the runs whose policies and replays are kept; all where None.
        beside: Names of further text files in the project's folder that are kept.

    Returns:
        The size of all files [bytes].

    Raises:
        UsageError: The folder is there, or there is nothing to keep.
        WavebookError: The record would be larger than the limit, or cannot be written. Nothing is left then.
    """
    from wavebook_tools.replay.document import FILE as REPLAY_FILE  # its package imports IPython

    target = target.resolve()
    if target.exists():
        raise UsageError(f"{target} is there already; name a folder that is not, or remove it first")
    if not waves:
        raise UsageError("there is no wave to keep")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise WavebookError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        clean = _cleaner(project)
        for source in (
            project.settings_path,
            project.ledger.path,
            *(project.root / name for name in (REPORT, *beside)),
        ):
            _copy_text(source, unfinished / source.name, clean)
        for wave in waves:
            folder = unfinished / "waves" / wave.path.name
            for source in (wave.plan_path, wave.report_path):
                _copy_text(source, folder / source.name, clean)
            for run in wave.runs():
                kept = folder / run.path.relative_to(wave.path)
                whole = policies is None or run.id in policies
                _keep_run(run, kept, clean, points, slim if whole else None)
                if whole:
                    _copy_text(run.path / REPLAY_FILE, kept / REPLAY_FILE, clean)
                else:
                    _drop_replay(kept / run.notebook_path.name)
        sizes = {path: path.stat().st_size for path in unfinished.rglob("*") if path.is_file()}
        if sum(sizes.values()) > limit:
            largest = sorted(sizes, key=lambda path: sizes[path], reverse=True)[:3]
            named = ", ".join(f"{path.relative_to(unfinished)} ({sizes[path] / 1e6:.1f} MB)" for path in largest)
            size = sum(sizes.values()) / 1e6
            raise WavebookError(f"the record would have {size:.1f} MB, more than {limit / 1e6:.1f}; largest: {named}")
        unfinished.chmod(0o755)
        unfinished.rename(target)
    except OSError as error:
        raise WavebookError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return sum(sizes.values())


def _keep_run(run: RunRecord, folder: Path, clean: Callable[[str], str], points: int, slim: Slim | None) -> None:
    read = (run.spec_path, run.result_path, run.notebook_path, run.log_path, run.cancel_path, run.stacks_path)
    for source in read:
        _copy_text(source, folder / source.name, clean)
    if run.events_path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        lines = (clean(json.dumps(event, ensure_ascii=False)) for event in _thinned(run, points))
        (folder / run.events_path.name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for source in sorted(run.checkpoints_path.glob("broken/**/*.npz")):
        kept = folder / source.relative_to(run.path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, kept)
    model = newest_model(run.checkpoints_path)
    if slim is not None and model is not None:
        kept = folder / model.relative_to(run.path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        slim(model, kept)


def _drop_replay(notebook: Path) -> None:
    """Take the motions out of a notebook, two thirds of its size; their picture stays."""
    from wavebook_tools.replay.notebook import REPLAY_MIME  # imports IPython

    if not notebook.is_file():
        return
    document = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(REPLAY_MIME, None)
    notebook.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def newest_model(folder: Path) -> Path | None:
    """The checkpoint of the most iterations in a run's folder; None where there is none."""
    numbered = {path: path.stem.removeprefix("model_") for path in folder.glob("model_*.pt")}
    models = [path for path, number in numbered.items() if number.isdigit()]
    return max(models, key=lambda path: int(numbered[path]), default=None)


def _thinned(run: RunRecord, points: int) -> Iterator[dict[str, object]]:
    """The run's events, of its metrics an even choice."""
    events = list(run.events())
    metrics = [index for index, event in enumerate(events) if event.get("kind") == "metric"]
    chosen = set(metrics)
    if len(metrics) > points:
        step = (len(metrics) - 1) / (points - 1) if points > 1 else 0.0
        chosen = {metrics[-1 - round(number * step)] for number in range(points)}
    for index, event in enumerate(events):
        if event.get("kind") != "metric":
            yield event
        elif index in chosen:
            yield _rounded(event)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        # The time stays: the order of events is told by it.
        return {name: item if name == "t" else _rounded(item) for name, item in value.items()}
    return value


def _cleaner(project: Project) -> Callable[[str], str]:
    """Replaces this machine's folders by words, and secrets."""
    folders = {str(Path(path)): "SITE" for path in sys.path if path and Path(path).is_absolute()}
    folders |= {sys.prefix: "ENVIRONMENT", tempfile.gettempdir(): "TEMPORARY", str(Path.home()): "~"}
    folders |= {str(project.root): "PROJECT"}
    # The longest first: a project often lies below the home folder.
    places = sorted((place for place in folders if len(place) > 1), key=len, reverse=True)
    pattern = re.compile("(?:" + "|".join(map(re.escape, places)) + r")(?![\w.-])")

    def clean(text: str) -> str:
        return redact(pattern.sub(lambda match: folders[match[0]], text))

    return clean


def _copy_text(source: Path, target: Path, clean: Callable[[str], str]) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(clean(source.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
