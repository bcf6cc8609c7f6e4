"""``GET gpus``: the devices with their load and who is on them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.routes.base import RouteHandler
from wavebook_tools.jobs.devices import Device, list_devices
from wavebook_tools.jobs.leases import Holder, holders
from wavebook_tools.jobs.load import process_name, with_load
from wavebook_tools.records.project import Project


def device_load(project: Project) -> dict[str, Any]:
    """The devices as they are now. A driver may take its time to answer: ask only while somebody looks."""
    return {"devices": [_describe(with_load(device), str(project.root)) for device in list_devices()]}


def _describe(device: Device, root: str) -> dict[str, Any]:
    held = holders(device.id) + (holders(device.parent) if device.parent else [])
    return {
        **device.as_dict(),
        "holders": [_holder(holder, root) for holder in held],
        "foreign": [process_name(pid) for pid in device.foreign],
    }


def _holder(holder: Holder, root: str) -> dict[str, Any]:
    return {**asdict(holder), "own": holder.project == root}


class GpusHandler(RouteHandler):
    """The devices."""

    @authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(device_load, self.app.project)


ROUTES = [("gpus", GpusHandler)]
