"""What no answer of a tool holds: a secret, a file from elsewhere, or more than a model can read."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.agent.hostile.inputs import READ_LOG, RUN, SECRET, Prepare, event, notebook, use, write
from wavebook.agent.tools.call import LONGEST
from wavebook.agent.tools.requests import Requests
from wavebook.agent.tools.tool import Workspace
from wavebook_tools.records.redaction import redact

PATHS = [
    *("../outside.txt", "waves/../../outside.txt", "/etc/passwd", "//etc/passwd", "leak", "up/outside.txt", "up"),
    *(".env", ".wavebook/wavebook.db", "waves/../.env", "./.env", "~/.ssh/id_rsa", "waves/001-tracking/../../.env"),
    *("pipe", "wavebook.toml\0.txt", "a" * 499, "..\\outside.txt", "%2e%2e/outside.txt", "/proc/self/environ", ""),
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path[:30]))
def test_paths_lead_nowhere_else(path, project):
    workspace = Workspace(project, "curious")
    for tool, argument in (("read_file", "path"), ("list_files", "folder"), ("read_source", "path")):
        text = use(workspace, tool, {argument: path})
        assert "TOP SECRET" not in text
        assert "root:" not in text
        assert SECRET not in text
        assert "outside.txt  " not in text


LONG = 3 * LONGEST
HUGE: dict[str, tuple[Prepare, tuple[str, dict[str, Any]]]] = {
    "log": (write(f"{RUN}/log.txt", "x\n" * 5_000_000), ("read_log", {"run": "exp002/s0", "kilobytes": 64})),
    "line": (write("a.txt", "y" * 5_000_000), ("read_file", {"path": "a.txt"})),
    "notebook": (write("a.ipynb", notebook("z " * 500_000)), ("read_file", {"path": "a.ipynb"})),
    "metrics": (
        write(
            f"{RUN}/events.jsonl", event(kind="metric", iteration=0, values={f"m{i}" * 20: 1.0 for i in range(5000)})
        ),
        ("read_metrics", {"run": "exp002/s0"}),
    ),
    "alerts": (
        write(f"{RUN}/events.jsonl", event(kind="alert", message="w" * 100_000) * 30),
        ("read_alerts", {"run": "exp002/s0"}),
    ),
    "brackets": (write("a.ipynb", "[" * 1_000_000), ("read_file", {"path": "a.ipynb"})),
}


@pytest.mark.parametrize("what", HUGE)
def test_huge_outputs_are_cut(what, project):
    prepare, (tool, arguments) = HUGE[what]
    prepare(project.root)
    assert 0 < len(use(Workspace(project, "patient"), tool, arguments)) < LONGEST + 500


PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA7bq\n" * 40 + "-----END RSA PRIVATE KEY-----\n"
HALVES: dict[str, tuple[Prepare, tuple[str, dict[str, Any]]]] = {
    "the beginning of a log": (
        write(f"{RUN}/log.txt", f"key {SECRET}" + "." * (1024 - len(SECRET) + 6)),
        ("read_log", {"run": "exp002/s0", "kilobytes": 1}),
    ),
    "a log within a private key": (
        write(f"{RUN}/log.txt", PEM + "." * 500),
        ("read_log", {"run": "exp002/s0", "kilobytes": 1}),
    ),
    "the end of a wide line": (
        write("wide.txt", "." * (2000 - 12) + SECRET + "." * 100),
        ("read_file", {"path": "wide.txt"}),
    ),
    "a file within a private key": (write("key.txt", PEM), ("read_file", {"path": "key.txt", "first_line": 5})),
    # Lines as shown are 7 characters and 1992 of the file; the look ends within the secret of the last.
    "the end of what is looked through": (
        write(
            "many.txt",
            ("." * 1992 + "\n") * 63 + "." * (8 * LONGEST - 64 * 7 - 63 * 1993 - 13) + " " + SECRET + "\n" * 900,
        ),
        ("read_file", {"path": "many.txt", "lines": 1000}),
    ),
}


@pytest.mark.parametrize("where", HALVES)
def test_no_secret_is_cut_to_a_half_that_nothing_knows(where, project):
    prepare, (tool, arguments) = HALVES[where]
    prepare(project.root)
    answer = use(Workspace(project, "patient"), tool, arguments)
    assert "horse" not in answer
    assert SECRET[:8] not in answer
    assert SECRET[-8:] not in answer
    assert "MIIEow" not in answer


@pytest.mark.parametrize("target", ["outside", "pipe", "hidden"])
def test_a_run_that_puts_another_file_in_the_place_of_its_log_shows_nothing_of_it(target, project):
    log = project.root / RUN / "log.txt"
    log.unlink(missing_ok=True)
    if target == "pipe":
        os.mkfifo(log)
    else:
        log.symlink_to(project.root.parent / "outside.txt" if target == "outside" else project.root / ".env")
    answer = use(Workspace(project, "curious"), *READ_LOG)
    assert "TOP SECRET" not in answer
    assert "outside" in answer or "hidden" in answer or "no regular file" in answer


@pytest.mark.parametrize(
    "text",
    [
        f"wandb: {SECRET} accepted",
        f"{{'key': '{SECRET}'}}",
        "Authorization: Bearer abcdef0123456789abcdef",
        "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
        "aws AKIAABCDEFGHIJKLMNOP end",
        "ghp_abcdefghijklmnopqrstuvwxyz0123",
        "hf_abcdefghijklmnopqrstuvwxyz",
        "https://me:hunter2@host/repo.git",
        "DB_PASSWORD=hunter2hunter2",
        '"api_key": "hunter2hunter2"',
        "-----BEGIN RSA PRIVATE KEY-----\nabcdef0123456789\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdef",
    ],
    ids=lambda text: text[:20],
)
def test_secrets_are_taken_out_wherever_they_stand(text, project):
    write(f"{RUN}/log.txt", "x" * 20_000 + "\n" + text)(project.root)
    write("a.ipynb", notebook(text))(project.root)
    workspace = Workspace(project, "curious")
    use(workspace, "cancel_runs", {"wave": 1, "why": text})
    noted = use(Workspace(project, "curious"), "write_note", {"what": "note", "text": f"I saw {text}"})
    assert "stands in the ledger" in noted
    told = [
        use(workspace, *READ_LOG),
        use(workspace, "read_file", {"path": "a.ipynb"}),
        use(workspace, text[:70], {}),
        project.ledger.path.read_text(),
        str(Requests(project).list()),
    ]
    for secret in (SECRET, "hunter2", "abcdef", "eyJhbG", "ABCDEFGHIJ"):
        if secret in text:
            assert not any(secret in line for line in told), [line for line in told if secret in line]


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 16000",
        "seed=12345678",
        "http://127.0.0.1:8888/lab",
        "the token of the day",
        "tokens 12",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text, {}) == text
