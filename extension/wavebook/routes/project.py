"""``GET project``: what the sidebar shows before anything has run."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook._version import __version__
from wavebook.routes.base import RouteHandler
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.devices import list_devices, select_devices
from wavebook_tools.records.project import Project
from wavebook_tools.records.settings import Settings
from wavebook_tools.tasks import load_tasks, task_named


def describe(project: Project) -> dict[str, Any]:
    """The project's place, defaults and devices, and in ``problems`` whatever would stop a wave."""
    problems: list[str] = []
    try:
        settings = project.settings()
    except UsageError as error:
        problems.append(str(error))
        settings = Settings()
    try:
        found = list_devices()
        select_devices(settings.devices.use, found)
    except WavebookError as error:
        problems.append(str(error))
        found = []
    try:
        tasks = load_tasks()
        task_named(settings.training.task, tasks)
    except WavebookError as error:
        problems.append(str(error))
        tasks = {}
    return {
        "root": str(project.root),
        "name": project.root.name,
        "version": __version__,
        "devices": [
            {"id": device.id, "label": device.label, "name": device.name, "kind": device.kind} for device in found
        ],
        "training": settings.training.model_dump(mode="json"),
        "tasks": [{"task": schema.task, "title": schema.title or schema.task} for schema in tasks.values()],
        "problems": problems,
    }


class ProjectHandler(RouteHandler):
    """The project."""

    @authenticated
    @authorized
    async def get(self) -> None:
        described = await self.work(describe, self.app.project)
        planner = self.app.planner
        self.finish({**described, "planner": {"name": planner.name, "label": planner.label}})


ROUTES = [("project", ProjectHandler)]
