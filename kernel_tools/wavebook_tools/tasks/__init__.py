"""What can be trained: the tasks that plug-ins declare, their parameters, and the check of a plan against them."""

from wavebook_tools.tasks.catalogue import load_tasks, task_named
from wavebook_tools.tasks.check import check_overrides, check_plan
from wavebook_tools.tasks.schema import Parameter, SearchRange, TaskSchema

__all__ = ["Parameter", "SearchRange", "TaskSchema", "check_overrides", "check_plan", "load_tasks", "task_named"]
