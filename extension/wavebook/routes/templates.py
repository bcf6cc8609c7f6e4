"""``templates``: the notebook templates, what is wrong with them, and copying one into the project."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jupyter_server.auth.decorator import authorized
from pydantic import Field
from tornado.web import authenticated

from wavebook.routes.base import Body, RouteHandler
from wavebook_tools.records.project import Project


class CopyBody(Body):
    """What the copy is called; as the template where absent, whose place it then takes."""

    name: str | None = Field(default=None, max_length=64)


def all_templates(project: Project) -> dict[str, Any]:
    """The templates, with what is wrong with each."""
    # papermill, which reads them, takes a second to import; a server that nobody asks for templates does without.
    from wavebook_tools.notebooks.templates import templates

    return {"templates": [asdict(template) for template in templates(project)]}


def copy(project: Project, name: str, new_name: str | None) -> dict[str, Any]:
    """Copy a template into the project."""
    from wavebook_tools.notebooks.templates import copy_template

    return asdict(copy_template(Project.create(project.root), name, new_name))


class TemplatesHandler(RouteHandler):
    """All templates."""

    @authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(all_templates, self.app.project)


class CopyHandler(RouteHandler):
    """A copy of a template in the project."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        await self.answer(copy, self.app.project, name, self.body(CopyBody).name)


ROUTES = [("templates", TemplatesHandler), ("templates/([^/]+)/copy", CopyHandler)]
