"""``python -m wavebook.agent.night PROJECT LOCK``: what follows a night to its end.

Apart from process.py, which starts it: who only asks how a night stands imports no planner and no figures.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from wavebook_tools.notebooks.startup import skip_iri_checks

skip_iri_checks()

from wavebook.agent.choice import ChosenPlanner
from wavebook.agent.night.loop import Night
from wavebook_tools.jobs import wakeup
from wavebook_tools.records.project import Project


async def serve(project: Project) -> None:
    """Follow the night in force to its end."""
    night = Night(project, ChosenPlanner(project))
    pipe = wakeup.listen(project, wakeup.NIGHT)
    loop = asyncio.get_running_loop()

    def woken() -> None:
        wakeup.drain(pipe)
        night.woken.set()

    def interrupted() -> None:
        night.interrupted = True
        night.woken.set()

    loop.add_reader(pipe, woken)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, interrupted)
    try:
        await night.run()
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)


def main() -> None:
    """Serve the project named on the command line, under the lock that was handed on."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # an ignored SIGCHLD would be inherited through exec
    project, descriptor = Project(Path(sys.argv[1])), int(sys.argv[2])
    os.set_inheritable(descriptor, False)  # the queue that it may start is no part of the night
    asyncio.run(serve(project))


if __name__ == "__main__":
    main()
