"""``compare_waves``: the verdicts on experiments, the noise they were judged against, and predictions checked."""

from __future__ import annotations

from pydantic import Field

from wavebook.agent.tools.search_records import judged
from wavebook.agent.tools.tool import Arguments, Tool, Workspace
from wavebook_tools.comparison.data import collect
from wavebook_tools.comparison.findings import findings
from wavebook_tools.comparison.verdict import judge


class CompareWaves(Arguments):
    waves: list[int] = Field(min_length=1, max_length=20)


def run(workspace: Workspace, arguments: CompareWaves) -> str:
    """For each wave a line an experiment, then what the comparison found."""
    lines = []
    for wave in dict.fromkeys(arguments.waves):
        comparison = collect(workspace.project, [wave])
        verdicts = judge(comparison, wave)
        lines.append(f"Wave {wave}: {comparison.plans[0].goal}")
        lines += [f"{experiment.label}: {judged(verdicts[experiment.id])}" for experiment in comparison.experiments]
        lines += [f"- {line}" for line in findings(comparison, verdicts)]
        if comparison.problems:
            lines.append(f"{len(comparison.problems)} damaged records were left out")
    return "\n".join(lines)


TOOL = Tool(
    "compare_waves",
    "Compare the experiments of waves by the fixed evaluation: verdicts, noise, checked predictions, findings.",
    CompareWaves,
    run,
)
