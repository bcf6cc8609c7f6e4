"""A replay as one HTML file that needs nothing else: no network, no server, no Python."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from jinja2 import Template

from wavebook_tools.errors import WavebookError
from wavebook_tools.records.files import write_atomic
from wavebook_tools.replay.document import Replay

_START = """
const host = document.getElementById('replay');
try {
  const player = WavebookReplay.show(document.getElementById('data').textContent, host);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => player.repaint());
} catch (reason) {
  host.textContent = `The replay cannot be shown: ${reason.message}`;
}
"""

# JupyterLab's variables, for a page that stands alone; it may run these two scripts and load nothing from a network.
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {{ hashes }}; style-src 'unsafe-inline'; img-src data:">
<title>{{ title | e }}</title>
<style>
:root { color-scheme: light dark; --jp-ui-font-color1: #222; --jp-ui-font-color2: #5f5f5f; --jp-border-color1: #8a8a8a;
  --jp-border-color2: #e0e0e0; --jp-layout-color1: #fff; --jp-layout-color2: #eee; --jp-brand-color1: #1976d2;
  --jp-warn-color1: #ffb000; }
@media (prefers-color-scheme: dark) { :root { --jp-ui-font-color1: #e4e4e4; --jp-ui-font-color2: #a8a8a8;
  --jp-border-color1: #777; --jp-border-color2: #383838; --jp-layout-color1: #161616; --jp-layout-color2: #2a2a2a;
  --jp-brand-color1: #64b5f6; } }
body { margin: 0 auto; padding: 8px 20px 20px; max-width: 1600px; background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1); font-family: system-ui, sans-serif; }
h1 { font-size: 18px; font-weight: 600; margin: 6px 0 2px; }
p { font-size: 13px; color: var(--jp-ui-font-color2); margin: 2px 0 8px; }
#replay { --wavebook-replay-height: max(300px, calc(100vh - 270px)); }
</style>
</head>
<body>
<main>
<h1>{{ title | e }}</h1>
<p>Drag to turn, scroll to come nearer. Keys in the view: space, arrows, Home, End, N and P for the next and previous
robot, + and - for the speed, A and D to turn, F to follow, R to reset.</p>
<div id="replay"></div>
</main>
<script type="application/json" id="data">{{ data }}</script>
<script>{{ player }}</script>
<script>{{ start }}</script>
</body>
</html>
""")  # noqa: E501


def player() -> str:
    """The player's script, which the front end's build makes.

    Raises:
        WavebookError: It was not built.
    """
    script = files("wavebook_tools.replay") / "static" / "player.js"
    if not script.is_file():
        raise WavebookError(f"{script} was not built; run `make install`, or `jlpm build:replay` in extension/")
    return script.read_text(encoding="utf-8")


def page(replay: Replay) -> str:
    """The replay as an HTML document.

    Raises:
        WavebookError: The player was not built.
    """
    script = player()
    return _PAGE.render(
        title=f"Replay of {replay.title}" if replay.title else "Replay",
        # Data within a script element ends at nothing but a tag, so it must hold none.
        data=replay.model_dump_json().replace("<", "\\u003c"),
        player=script,
        start=_START,
        hashes=f"{_hash(script)} {_hash(_START)}",
    )


def write_page(replay: Replay, path: Path) -> None:
    """Write the replay's page, whole or not at all.

    Raises:
        WavebookError: The player was not built, or the file cannot be written.
    """
    write_atomic(path, page(replay))


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
