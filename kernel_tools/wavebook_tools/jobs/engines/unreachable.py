"""The one failure of a submission after which the run may simply be submitted again."""

from __future__ import annotations

from wavebook_tools.errors import WavebookError


class ClusterUnreachableError(WavebookError):
    """The cluster could not be reached, so it surely has not taken the run, which can stay in the queue.

    Not raised where an answer is missing after the request was sent: then it may have been taken.
    """
