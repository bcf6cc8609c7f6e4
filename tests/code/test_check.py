"""What the source of a code override may hold, judged without executing it."""

from __future__ import annotations

import pytest

from tests.code_terms import PITCH_RATE
from wavebook_tools.code.check import check_code
from wavebook_tools.code.diff import diff
from wavebook_tools.errors import UsageError
from wavebook_tools.records.code import CodeOverride


def code(source: str, **params) -> CodeOverride:
    return CodeOverride(name="term", source=source, weight=1.0, params=params)


def body(statement: str) -> CodeOverride:
    return code(f"import torch\n\n\ndef term(env):\n    {statement}\n")


GOOD = [
    CodeOverride(**PITCH_RATE),
    body("return torch.zeros(env.num_envs, device=env.device)"),
    body("return torch.linalg.norm(env.command_manager.get_command('base_velocity')[:, :2], dim=1)"),
    code(
        "from __future__ import annotations\nfrom typing import Any\nimport torch\n"
        "from isaaclab.managers import SceneEntityCfg\nfrom isaaclab.utils.math import quat_apply_inverse\n"
        "def term(env: Any, scale: float = 2.0, asset_cfg: SceneEntityCfg = SceneEntityCfg('robot', joint_names='.*')"
        ") -> torch.Tensor:\n    '''Words.'''\n    data = env.scene[asset_cfg.name].data\n"
        "    speeds = [data.joint_vel.torch[:, i] for i in asset_cfg.joint_ids[:2]]\n"
        "    total = sum(speed.abs() for speed in speeds)\n"
        "    return torch.where(total > 1.0, total * scale, torch.zeros_like(total))\n"
    ),
]

REFUSED = {
    "import os": ("import os\ndef term(env):\n    return 1\n", "'os' may not be imported"),
    "from os": ("from os import environ\ndef term(env):\n    return environ\n", "'os' may not be imported"),
    "relative": ("from . import x\ndef term(env):\n    return x\n", "may not be imported"),
    "late import": ("def term(env):\n    import socket\n    return 1\n", "an import within the function"),
    "two functions": ("def term(env):\n    return 1\ndef other(env):\n    return 1\n", "defines 2 functions"),
    "none": ("import math\nimport torch\n", "only imports|defines 0 functions"),
    "other name": ("def turm(env):\n    return 1.0\n", "called 'turm'; call it 'term'"),
    "statement": ("import torch\ntorch.zeros(3)\ndef term(env):\n    return 1\n", "only imports and one function"),
    "decorator": ("import torch\n@torch.no_grad()\ndef term(env):\n    return 1\n", "a decorator"),
    "no env": ("def term(robot):\n    return robot\n", "the first argument must be env"),
    "stars": ("def term(env, *rest):\n    return rest\n", r"no \*args"),
    "missing": ("def term(env, scale):\n    return scale\n", "the argument 'scale' has no value"),
    "turned round": ("def term(env):\n    # \u202e neve\n    return 1.0\n", r"line 2: .* not seen \(U\+202E\)"),
    "return of the carriage": ("def term(env):\n    return 2.0  # x\r    return 1.0\n", r"not seen \(U\+000D\)"),
    "syntax": ("def term(env:\n    return 1 +\n", "line 1: this is no Python"),
    "unknown torch": ("import torch\ndef term(env):\n    return torch.sqaure(env.step_dt)\n", "Did you mean 'square'"),
    "unknown env": ("def term(env):\n    return env.scenes['robot']\n", "Did you mean 'scene'"),
    "unknown name": ("def term(env):\n    return enviroment\n", "is not known here"),
    "in place": ("def term(env):\n    x = env.scene\n    x *= 2\n    return x\n", r"write x = x \* y"),
    "item": ("def term(env):\n    x = env.episode_length_buf\n    x[:] = 0\n    return x\n", "assigns into something"),
    "loop": ("def term(env):\n    while True:\n        pass\n", "a while loop may never end"),
    "alias": ("import torch\ndef term(env):\n    t = torch\n    return t\n", "'torch' stands alone"),
}


@pytest.mark.parametrize("good", GOOD)
def test_terms_as_isaac_lab_has_them_are_taken(good):
    check_code(good)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_plain_term_is_refused_with_the_reason(what):
    source, said = REFUSED[what]
    with pytest.raises(UsageError, match=said):
        check_code(code(source))


def test_parameters_belong_to_the_function():
    with pytest.raises(UsageError, match=r"no argument 'scal'\. Did you mean 'scale'"):
        check_code(code("def term(env, scale=1.0):\n    return scale\n", scal=2.0))


def test_a_deep_source_is_refused_without_a_recursion_error():
    with pytest.raises(UsageError, match=r"nested deeper|no Python"):
        check_code(body("return " + "-" * 3000 + "1"))


def test_the_diff_shows_a_new_term_whole_and_a_known_one_by_its_changes():
    first = CodeOverride(**PITCH_RATE)
    new = diff(first)
    assert new.startswith("--- /dev/null\n+++ b/reward/pitch_rate.py\n")
    assert all(line.startswith(("+", "-", "@", " ")) for line in new.splitlines())
    assert "+def pitch_rate(env, asset_cfg):" in new
    second = first.model_copy(update={"source": first.source.replace("torch.square", "torch.abs"), "weight": -0.2})
    changed = diff(second, first)
    assert "-    return torch.square(" in changed
    assert "+    return torch.abs(" in changed
    assert "weight -0.1" in changed
    assert "def pitch_rate" in changed  # as context, not as a change
    assert "+def pitch_rate" not in changed
    assert first.digest != second.digest
