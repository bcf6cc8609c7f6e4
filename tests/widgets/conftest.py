"""The queue's project and machine, and a kernel with a panel."""

from tests.jobs.conftest import driver, machine, project, queue

__all__ = ["driver", "machine", "project", "queue"]
