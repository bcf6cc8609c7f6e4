"""What all routes share: who asks, what they may, and how errors are answered."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from pydantic import BaseModel, ConfigDict, ValidationError
from tornado.web import HTTPError, authenticated

from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.records.files import first_problem

if TYPE_CHECKING:
    from wavebook.app import WavebookApp

AUTH_RESOURCE = "wavebook"

_ANONYMOUS = re.compile(r"[0-9a-f]{32}")


class RefusedError(HTTPError):
    """A WavebookError on its way to the browser."""

    def __init__(self, error: WavebookError) -> None:
        super().__init__(error.http_status)
        self.message = str(error)


class Body(BaseModel):
    """Base of request bodies: what is not asked for is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RouteHandler(ExtensionHandlerMixin, APIHandler):
    """Base of all routes."""

    auth_resource = AUTH_RESOURCE

    @property
    def app(self) -> WavebookApp:
        """The extension: the project and what serves it."""
        return cast("WavebookApp", self.extensionapp)

    @property
    def person(self) -> str:
        """Who asks, as the server knows them, for the ledger.

        A token tells no name: the server then invents an anonymous one for each browser. What is sure is the account
        the server runs as, which is the one that gave the token away.
        """
        user = self.current_user
        if _ANONYMOUS.fullmatch(user.username) and user.display_name.startswith("Anonymous "):
            return server_account()
        return str(user.username)

    async def work[**P, R](self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call what reads files or the database in a thread, off the server's event loop.

        Raises:
            RefusedError: It raised a WavebookError.
        """
        try:
            return await asyncio.to_thread(function, *args, **kwargs)
        except WavebookError as error:
            raise RefusedError(error) from error

    async def answer[**P](self, function: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Answer with what ``function`` returns. The thread that calls it writes the JSON too: that of hundreds of runs
        would hold the event loop up.

        Raises:
            RefusedError: It raised a WavebookError.
        """
        self.finish(await self.work(_as_json, partial(function, *args, **kwargs)))

    def body[B: Body](self, model: type[B]) -> B:
        """The request's JSON body.

        Raises:
            RefusedError: It is not JSON, or does not fit the model.
        """
        try:
            return model.model_validate_json(self.request.body or b"{}")
        except ValidationError as error:
            raise RefusedError(UsageError(f"the request's body is wrong: {first_problem(error)}")) from error

    def number(self, name: str, text: str, *, least: int = 1, most: int = 2**53) -> int:
        """A whole number from the path or the query.

        Raises:
            RefusedError: It is none, or out of range.
        """
        if not re.fullmatch(r"\d{1,16}", text) or not least <= int(text) <= most:
            raise RefusedError(UsageError(f"{name}: {text[:40]!r} is not a whole number from {least} to {most}"))
        return int(text)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as JSON with a message that says what is wrong."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, RefusedError):
            self.finish(json.dumps({"message": error.message, "reason": error.reason}))
        else:
            super().write_error(status_code, **kwargs)


class NoSuchRoute(RouteHandler):
    """What lies under the interface's address and is no route of it."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self._refuse()

    @authenticated
    @authorized
    async def post(self) -> None:
        self._refuse()

    @authenticated
    @authorized
    async def put(self) -> None:
        self._refuse()

    @authenticated
    @authorized
    async def patch(self) -> None:
        self._refuse()

    @authenticated
    @authorized
    async def delete(self) -> None:
        self._refuse()

    def _refuse(self) -> None:
        raise RefusedError(
            NotFoundError(f"{self.request.method} {self.request.path} is no route; see docs/server-api.md")
        )


def server_account() -> str:
    """The account that this server runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user-{os.getuid()}"


def _as_json(function: Callable[[], Any]) -> bytes:
    return json.dumps(function()).encode()
