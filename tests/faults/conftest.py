"""The projects and machines of the queue's tests."""

from tests.jobs.conftest import driver, machine, project, queue

__all__ = ["driver", "machine", "project", "queue"]
