"""Hostile code: none reaches a process, nor a person who would not see what it does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.hostile.inputs import state, use
from wavebook.agent.approvals import Approvals
from wavebook.agent.standing import StandingBudgets, approve_within_budget
from wavebook.agent.tools.tool import Workspace
from wavebook_tools.jobs.queue import Queue


def term(*lines: str, **fields: Any) -> dict[str, Any]:
    """A wave with one code override that holds these lines, indented as they are."""
    body = "\n".join(lines)
    source = f"import torch\n\n\ndef sly(env):\n{body}\n    return env.step_dt\n"
    code = {"name": "sly", "source": source, "weight": 1.0, **fields}
    base = {"slug": "baseline", "hypothesis": "The task as it is.", "baseline": True, "seeds": [2, 3]}
    new = {
        **{"slug": "sly", "hypothesis": "A harmless term helps.", "code": [code]},
        "prediction": {"metric": "error_vel_xy", "direction": "down"},
    }
    return {"goal": "Try a harmless term", "experiments": [base, new]}


CODE = {
    "import os": "    import os",
    "dunder import": "    __import__('os').system('touch owned')",
    "subprocess": "    from subprocess import run",
    "network": "    import socket, urllib.request",
    "key": "    import os; key = os.environ['ANTHROPIC_API_KEY']",
    "eval": "    eval('1')",
    "exec": "    exec('import os')",
    "open": "    x = open('/etc/passwd')",
    "classes": "    x = ().__class__.__bases__[0].__subclasses__()",
    "globals of a function": "    x = torch.zeros.__globals__",
    "getattr": "    x = getattr(torch, 'load')",
    "format": "    x = '{0.__class__}'.format(env)",
    "formatted": "    x = f'{env}'",
    "load": "    x = torch.load('/tmp/x.pt')",
    "hub": "    x = torch.hub.load('a/b', 'c')",
    "save": "    torch.save(1, 'events.jsonl')",
    "torch's os": "    x = torch.serialization.os.environ",
    "module by a name": "    t = torch\n    x = t.load",
    "array to a file": "    x = env.episode_length_buf.numpy().tofile('result.json')",
    "stage": "    x = env.scene.stage.Export('x.usd')",
    "evaluation": "    from wavebook_locomotion.evaluation import protocol",
    "the environment's configuration": "    env.cfg.seed = 1",
    "commands": "    x = env.command_manager\n    x.get_command('base_velocity')[:] = 0",
    "in place": "    x = env.command_manager.get_command('base_velocity').zero_()",
    "out": "    x = torch.abs(env.episode_length_buf, out=env.episode_length_buf)",
    "poses": "    x = env.scene['robot'].write_root_pose_to_sim(0)",
    "endless": "    while 1:\n        pass",
    "global": "    global torch",
    "inner class": "    class A:\n        pass",
    "try": "    try:\n        pass\n    except Exception:\n        pass",
}


@pytest.mark.parametrize("what", CODE)
def test_hostile_code_reaches_neither_a_person_nor_a_process(what, project):
    before = state(project)
    text = use(Workspace(project, "sly"), "propose_wave", term(CODE[what]))
    assert "code 'sly': line" in text, text
    assert Approvals(project).list() == []
    assert state(project) == before


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.system('touch owned')\n\n\ndef sly(env):\n    return env.step_dt\n",
        "@eval\ndef sly(env):\n    return env.step_dt\n",
        "def sly(env, x=__import__('os').system('touch owned')):\n    return env.step_dt\n",
        "def sly(env) -> exec('import os'):\n    return env.step_dt\n",
        "def sly(env):\n    return env.step_dt\n\n\nsly.__code__ = None\n",
        "def sly(env):\n    return (lambda: ().__class__)()\n",
        "def sly(env):\n    return [x for x in env.__dict__]\n",
        "\0def sly(env):\n    return env.step_dt\n",
        "def sly(env):\n    return " + "(" * 500 + "1" + ")" * 500 + "\n",
        "# " + "x" * 9000 + "\ndef sly(env):\n    return env.step_dt\n",
    ],
    ids=lambda source: repr(source[:30]),
)
def test_hostile_sources_are_refused_whole(source, project):
    before = state(project)
    text = use(Workspace(project, "sly"), "propose_wave", term("", source=source))
    assert "sly" in text or "at most 8000" in text
    assert "waits for a person" not in text
    assert Approvals(project).list() == []
    assert state(project) == before


def test_no_standing_budget_approves_code_that_no_person_saw(project, monkeypatch):
    monkeypatch.setattr(Queue, "ensure_dispatcher", lambda self: None)
    StandingBudgets(project).grant(6, 1.0, "ada")
    approvals = Approvals(project)

    def proposed(source: str = "def sly(env):\n    return env.episode_length_buf * 0.1\n") -> Any:
        use(Workspace(project, "sly"), "propose_wave", term("", source=source))
        return approvals.list()[-1]

    waiting, told = approve_within_budget(approvals, proposed())
    assert waiting.state == "pending"
    assert "has code that no person has approved (exp004 sly)" in told
    approvals.decide(waiting.id, "approve", "ada")
    again, _ = approve_within_budget(approvals, proposed())
    assert again.state == "approved"  # a person has read this source
    changed, _ = approve_within_budget(approvals, proposed("def sly(env):\n    return env.episode_length_buf * 9.0\n"))
    assert changed.state == "pending"
