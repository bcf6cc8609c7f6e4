"""A real Jupyter server with the extension and with authentication on, started in a project folder."""

from __future__ import annotations

import json
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.utils import JupyterServerAuthWarning
from tornado.httpclient import HTTPClientError
from traitlets.config import Config


@pytest.fixture(autouse=True)
def _auth_warnings_fail():
    with warnings.catch_warnings():
        warnings.simplefilter("error", JupyterServerAuthWarning)
        yield


@pytest.fixture
def jp_server_config() -> Config:
    return Config(
        {
            "ServerApp": {
                # Terminals have a socket of their own without the decorators; they are not what is tested here.
                "jpserver_extensions": {"wavebook": True, "jupyter_server_terminals": False},
                "allow_unauthenticated_access": False,
            }
        }
    )


@pytest.fixture
def call(jp_fetch) -> Callable[..., Awaitable[tuple[int, Any]]]:
    """Call a route: the answer's status and its JSON."""

    async def fetch(verb: str, path: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        text = json.dumps(body) if body is not None else ("" if verb in {"POST", "PUT"} else None)
        try:
            answer = await jp_fetch(
                *("wavebook", "api", *path.split("/")),
                method=verb,
                body=text,
                params=params,
                allow_nonstandard_methods=True,
            )
        except HTTPClientError as error:
            return error.code, json.loads(error.response.body if error.response else b"null")
        return answer.code, json.loads(answer.body)

    return fetch
