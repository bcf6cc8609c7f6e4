"""All tools: the same for every agent."""

from __future__ import annotations

from typing import Any

from wavebook.agent.tools import (
    bisect_terrains,
    cancel_runs,
    close_branch,
    compare_waves,
    explain_configuration,
    isolate_failure,
    launch_wave,
    list_files,
    probe_imports,
    project_status,
    propose_wave,
    read_alerts,
    read_file,
    read_log,
    read_metrics,
    read_preflight,
    read_source,
    retry_runs,
    search_records,
    write_note,
)
from wavebook.agent.tools.tool import Tool

TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for tool in (
        project_status.TOOL,
        search_records.TOOL,
        compare_waves.TOOL,
        read_metrics.TOOL,
        read_alerts.TOOL,
        read_log.TOOL,
        read_preflight.TOOL,
        explain_configuration.TOOL,
        list_files.TOOL,
        read_file.TOOL,
        read_source.TOOL,
        propose_wave.TOOL,
        isolate_failure.ISOLATE,
        isolate_failure.REDUCE,
        launch_wave.TOOL,
        cancel_runs.TOOL,
        retry_runs.TOOL,
        bisect_terrains.TOOL,
        probe_imports.TOOL,
        write_note.TOOL,
        close_branch.CLOSE,
        close_branch.OPEN,
    )
}
"""All tools by name, in the order in which a model reads them."""
