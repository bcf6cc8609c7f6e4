"""The server extension: its routes, its parts, and the watcher that tells browsers what to fetch again."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from pathlib import Path
from typing import Any, cast

from jupyter_server.extension.application import ExtensionApp
from traitlets import Float, Type

from wavebook.agent.approvals import LIFETIME, Approvals
from wavebook.agent.chat import Chat
from wavebook.agent.night.process import resume
from wavebook.agent.planner import Planner
from wavebook.changes import SCHEMA, ChangeWatcher
from wavebook.judging import JudgedStatus
from wavebook.routes import handlers
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.queue import Queue, recover
from wavebook_tools.records.project import Project


class WavebookApp(ExtensionApp):
    """Serves the project in the folder that JupyterLab was started in."""

    name = "wavebook"
    extension_url = "/lab"
    load_other_extensions = True

    planner_class = Type(
        "wavebook.agent.choice.ChosenPlanner",
        help="Who answers directives: a class made with the project, see wavebook.agent.planner.Planner.",
    ).tag(config=True)

    queue_class = Type(Queue, klass=Queue, help="Where approved waves go.").tag(config=True)

    approval_lifetime = Float(LIFETIME, min=1, help="How long a plan waits before it counts as denied [s].").tag(
        config=True
    )

    push_interval = Float(0.5, min=0.1, help="Shortest time between two pushes to the browsers [s].").tag(config=True)

    project: Project
    chat: Chat
    approvals: Approvals
    planner: Planner
    status: JudgedStatus
    watcher: ChangeWatcher

    def initialize_settings(self) -> None:
        """Make the parts. Nothing is written into the folder until a person asks for something."""
        assert self.serverapp is not None
        self.project = Project(Path(self.serverapp.root_dir))
        self.status = JudgedStatus(self.project)
        self.chat = Chat(self.project)
        self.approvals = Approvals(self.project, lifetime=self.approval_lifetime, queue=self.queue_class)
        self.planner = cast(Any, self.planner_class)(self.project)
        events = self.serverapp.event_logger
        assert events is not None
        events.register_event_schema(SCHEMA)
        self.watcher = ChangeWatcher(self.project, events, interval=self.push_interval)
        self.planning = asyncio.Lock()

    def initialize_handlers(self) -> None:
        """Add the routes of docs/server-api.md."""
        self.handlers.extend(handlers())

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        # What has been imported by now stays as long as the server. Full garbage collections would walk its 200 000
        # objects each time, and hold the event loop up for some 80 ms.
        gc.freeze()
        try:
            queued = await asyncio.to_thread(self.approvals.recover)
        except WavebookError as error:
            # The server must open: the sidebar shows the same problem where the person looks.
            self.log.warning("an approved wave could not be queued: %s", error)
        else:
            for wave in queued:
                self.log.info("queued wave %s, which was approved before the last server ended", wave)
        try:
            # After a restart of the machine the queue moves again as soon as the server is there.
            if await asyncio.to_thread(recover, self.project):
                self.log.info("the queue goes on with the runs that had not ended")
            if await asyncio.to_thread(resume, self.project, paused=True):
                self.log.info("the night goes on that was under way")
        except (WavebookError, sqlite3.DatabaseError, OSError) as error:
            self.log.warning("queue or night cannot go on: %s", error)
        self.watcher.start()

    async def stop_extension(self) -> None:
        """End the watcher; the runs go on."""
        await self.watcher.stop()
