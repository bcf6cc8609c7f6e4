"""Every route asks who calls and whether they may, and answers nonsense with a reason."""

from __future__ import annotations

import json

import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import HTTPClientError
from traitlets.config import Config

from wavebook.routes import handlers

READS = [
    "project",
    "waves",
    "waves/1",
    "runs/exp001/s0",
    "gpus",
    "runs/exp001/s0/metrics",
    "runs/exp001/s0/events",
    "runs/exp001/s0/log",
    "runs/exp001/s0/replay",
    "comparison",
    "comparison/curves",
    "comparison/page",
    "chat",
    "approvals",
    "approvals/1",
    "conversations",
    "budget",
    "requests",
    "templates",
    "night",
]
WRITES = [
    ("POST", "waves/1/run"),
    ("POST", "waves/1/cancel"),
    ("POST", "waves/1/retry"),
    ("POST", "runs/exp001/s0/cancel"),
    ("POST", "runs/exp001/s0/retry"),
    ("POST", "runs/exp001/s0/priority"),
    ("POST", "runs/exp001/s0/devices"),
    ("POST", "chat"),
    ("DELETE", "chat"),
    ("POST", "approvals/1"),
    ("POST", "approvals/1/check"),
    ("POST", "conversations/1"),
    ("DELETE", "conversations/1"),
    ("POST", "budget"),
    ("DELETE", "budget"),
    ("POST", "requests/1"),
    ("POST", "templates/train/copy"),
    ("POST", "night"),
    ("POST", "night/terms"),
    ("DELETE", "night"),
]
ROUTES = [*(("GET", path) for path in READS), *WRITES]
SCRIPTS = [
    *(("bokeh", name) for name in ("bokeh.min.js", "bokeh-gl.min.js", "bokeh-widgets.min.js", "bokeh-tables.min.js")),
    ("replay", "player.js"),
]


@pytest.fixture
def ask(jp_fetch):
    async def fetch(verb, *parts, **kwargs):
        body = "{}" if verb == "POST" else None
        try:
            answer = await jp_fetch(*parts, method=verb, body=body, allow_nonstandard_methods=True, **kwargs)
        except HTTPClientError as error:
            return error.code, error.response.body if error.response else b""
        return answer.code, answer.body

    return fetch


def test_the_table_names_every_route_and_verb():
    """A new route must be added above, so that its access is tested."""
    served = set()
    for pattern, handler, *_ in handlers():
        if "/wavebook/api/" in pattern:
            served |= {
                (verb.upper(), pattern) for verb in ("get", "post", "put", "patch", "delete") if verb in vars(handler)
            }
    example = {
        "waves/([^/]+)": "waves/1",
        "runs/([^/]+)/([^/]+)": "runs/exp001/s0",
        "approvals/([^/]+)": "approvals/1",
        "conversations/([^/]+)": "conversations/1",
        "requests/([^/]+)": "requests/1",
        "templates/([^/]+)": "templates/train",
    }
    named = set()
    for verb, pattern in served:
        path = pattern.removeprefix("/wavebook/api/")
        for group, instead in example.items():
            path = path.replace(group, instead)
        named.add((verb, path))
    assert named == set(ROUTES)


@pytest.mark.parametrize(("verb", "path"), [*ROUTES, ("GET", "nonsense")])
async def test_who_is_not_logged_in_is_refused(ask, verb, path):
    status, body = await ask(verb, "wavebook", "api", *path.split("/"), headers={"Authorization": "token wrong"})
    assert status == 403
    assert json.loads(body)["message"]


@pytest.mark.parametrize(("folder", "name"), SCRIPTS)
async def test_scripts_are_for_those_who_are_logged_in(ask, folder, name):
    # What is no interface sends a browser to the login page.
    status, _ = await ask(
        "GET", "wavebook", folder, name, headers={"Authorization": "token no"}, follow_redirects=False
    )
    assert status == 302
    status, script = await ask("GET", "wavebook", folder, name)
    assert status == 200
    assert (b"Bokeh" if folder == "bokeh" else b"WavebookReplay") in script
    assert (await ask("HEAD", "wavebook", folder, name))[0] == 200


@pytest.mark.parametrize("folder", ["bokeh", "replay"])
@pytest.mark.parametrize("name", ["bokeh.js", "../../server.py", "../document.py", "lib/index.js", ""])
async def test_only_named_scripts_are_served(ask, folder, name):
    assert (await ask("GET", "wavebook", folder, name))[0] in {403, 404}


class NobodyMay(Authorizer):
    """Refuses everything of Wavebook, and notes what was asked."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012 - one list for all instances is meant

    def is_authorized(self, handler, user, action, resource):
        NobodyMay.asked.append((action, resource))
        return resource != "wavebook"


class TestUnauthorised:
    @pytest.fixture
    def jp_server_config(self, jp_server_config):
        NobodyMay.asked.clear()
        return Config(
            {**jp_server_config, "ServerApp": {**jp_server_config["ServerApp"], "authorizer_class": NobodyMay}}
        )

    @pytest.mark.parametrize(("verb", "path"), [*ROUTES, ("GET", "nonsense")])
    async def test_who_may_not_is_refused(self, ask, jp_root_dir, verb, path):
        status, body = await ask(verb, "wavebook", "api", *path.split("/"))
        assert status == 403
        assert "not authorized" in json.loads(body)["message"]
        assert NobodyMay.asked == [("read" if verb == "GET" else "write", "wavebook")]
        assert list(jp_root_dir.iterdir()) == []

    async def test_who_may_not_gets_no_scripts(self, ask):
        for folder, name in SCRIPTS:
            assert (await ask("GET", "wavebook", folder, name))[0] == 403


class TestWithoutToken:
    """A browser that has a cookie and no token must prove that the request comes from Jupyter's own page."""

    @pytest.mark.parametrize(("origin", "status"), [(None, 403), ("http://elsewhere.example", 404)])
    async def test_a_forged_request_is_refused(self, jp_fetch, call, origin, status):
        answer = await jp_fetch("wavebook", "api", "project")
        cookies = "; ".join(cookie.partition(";")[0] for cookie in answer.headers.get_list("Set-Cookie"))
        headers = {"Authorization": "", "Cookie": cookies}
        assert (await jp_fetch("wavebook", "api", "chat", headers=headers)).code == 200
        if origin:
            headers["Origin"] = origin
        body = json.dumps({"body": "hello"})
        with pytest.raises(HTTPClientError) as refusal:
            await jp_fetch("wavebook", "api", "chat", method="POST", body=body, headers=headers)
        assert refusal.value.code == status
        assert (await call("GET", "chat"))[1] == {"messages": []}


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "told"),
    [
        ("GET", "nonsense", None, 404, "is no route"),
        ("POST", "project/more", None, 404, "is no route"),
        ("GET", "waves/one", None, 400, "'one' is not a whole number"),
        ("GET", "waves/0", None, 400, "from 1"),
        ("GET", "waves/7", None, 404, "no wave 7"),
        ("POST", "waves/7/run", None, 404, "no wave 7"),
        ("POST", "waves/7/cancel", None, 404, "no wave 7"),
        ("POST", "waves/7/cancel", {"reason": "x"}, 400, "reason"),
        ("GET", "runs/exp001/s9", None, 404, "no run 'exp001/s9'"),
        ("GET", "runs/exp1/first", None, 400, "exp1/first"),
        ("GET", "runs/..%2F../s0", None, 400, ".."),
        ("GET", "runs/exp001/s0/log", None, 404, "no run"),
        ("GET", "runs/exp001/s0/log?tail=lots", None, 400, "tail: 'lots'"),
        ("GET", "runs/exp001/s0/log?tail=99999999", None, 400, "tail"),
        ("GET", "runs/exp001/s0/metrics?points=1", None, 400, "points: '1'"),
        ("POST", "runs/exp001/s0/cancel", None, 404, "no run"),
        ("GET", "runs/exp001/s0/events?start=x", None, 400, "start: 'x'"),
        ("POST", "runs/exp001/s0/retry", {"resume": "yes"}, 400, "resume"),
        ("POST", "runs/exp001/s0/retry", {}, 404, "no run"),
        ("POST", "waves/7/retry", {}, 404, "no wave 7"),
        ("POST", "runs/exp001/s0/priority", {}, 400, "priority"),
        ("POST", "runs/exp001/s0/priority", {"priority": 1}, 404, "no run"),
        ("POST", "runs/exp001/s0/devices", {"devices": []}, 400, "devices"),
        ("POST", "runs/exp001/s0/devices", {"devices": "0"}, 400, "devices"),
        ("POST", "runs/exp001/s0/devices", {"devices": ["0"]}, 404, "no run"),
        ("GET", "comparison", None, 400, "comparison?waves=1,2"),
        ("GET", "comparison?waves=1,b", None, 400, "waves: 'b'"),
        ("GET", "comparison?waves=3", None, 404, "no wave 3"),
        ("GET", "comparison/page", None, 400, "comparison?waves=1,2"),
        ("GET", "comparison/page?waves=3", None, 404, "no wave 3"),
        ("GET", "comparison/curves?waves=1", None, 400, "1 to 64 metrics"),
        ("GET", "comparison/curves?waves=1&metric=a&from=0", None, 400, "to: '' is no iteration"),
        ("GET", "comparison/curves?waves=1&metric=a&from=nan&to=2", None, 400, "from: 'nan'"),
        ("POST", "chat", {}, 400, "body"),
        ("POST", "chat", {"body": 5}, 400, "body"),
        ("POST", "chat", {"body": "  "}, 400, "empty"),
        ("POST", "chat", {"body": "x" * 10_001}, 400, "10001 characters"),
        ("POST", "chat", {"body": "hello", "as": "root"}, 400, "as"),
        ("POST", "chat", [1, 2], 400, "body is wrong"),
        ("GET", "approvals/x", None, 400, "approval: 'x'"),
        ("GET", "approvals/3", None, 404, "no approval 3"),
        ("POST", "approvals/3", {"decision": "approve"}, 404, "no approval 3"),
        ("POST", "approvals/3", {"decision": "maybe"}, 400, "decision"),
        ("POST", "approvals/3", {"decision": "approve", "decided_by": "root"}, 400, "decided_by"),
        ("POST", "approvals/3", None, 400, "decision"),
    ],
)
async def test_nonsense_is_answered_with_a_reason(jp_fetch, verb, path, body, status, told):
    path, _, query = path.partition("?")
    text = json.dumps(body) if body is not None else ("" if verb == "POST" else None)
    with pytest.raises(HTTPClientError) as refusal:
        await jp_fetch(
            *("wavebook", "api", *path.split("/")),
            method=verb,
            body=text,
            params=dict(pair.split("=") for pair in query.split("&")) if query else {},
            allow_nonstandard_methods=True,
        )
    assert refusal.value.code == status
    answer = json.loads(refusal.value.response.body)
    assert told in answer["message"]
    assert set(answer) == {"message", "reason"}


async def test_a_body_that_is_no_json_is_refused(jp_fetch):
    with pytest.raises(HTTPClientError) as refusal:
        await jp_fetch("wavebook", "api", "chat", method="POST", body="{")
    assert refusal.value.code == 400
    assert "JSON" in json.loads(refusal.value.response.body)["message"]


async def test_settings_that_are_wrong_are_told_where_the_person_looks(call, jp_root_dir):
    (jp_root_dir / "wavebook.toml").write_text("[training]\niteration = 5\n")
    status, project = await call("GET", "project")
    assert status == 200
    assert any("training.iteration" in problem and "training.iterations" in problem for problem in project["problems"])
    status, answer = await call("POST", "chat", {"body": "track velocity better"})
    assert status == 400
    assert "training.iteration" in answer["message"]
