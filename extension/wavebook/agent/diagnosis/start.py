"""Crashes before the first iteration: is it the installation, the device, the task, or what the experiment changes?"""

from __future__ import annotations

from wavebook.agent.diagnosis.case import Case, Family, Step, Variant

HORIZON = 2
"""Iterations: whatever trains twice has started."""

ENVIRONMENTS = 2
INSTALLATION = ("missing module", "missing library", "import failed", "driver")
"""Causes that no experiment can isolate, as the watchdog names them."""


def start(case: Case) -> Family:
    """Imports one by one first, which costs no device. Then the task as it is with two robots, the failed
    configuration without its code, and without each half of its overrides."""
    steps = [Step("probe_imports", {}, "imports the libraries of a run one by one and names the first that fails")]
    if case.evidence.get("cause") in INSTALLATION:
        return Family("Which library does not load?", [], steps, HORIZON)
    changed = list(case.spec.overrides)
    variants = []
    if changed or case.spec.code:
        said = "The task as it is starts with two robots: what stops the run is what the experiment changes."
        bare = Variant("task-as-it-is", said, num_envs=ENVIRONMENTS, dropped=tuple(changed), without_code=True)
        variants.append(bare)
    if case.spec.code and changed:
        said = "Without its code the run starts: the code stops it."
        variants.append(Variant("without-code", said, without_code=True))
    if len(changed) > 1:
        half = (len(changed) + 1) // 2
        for slug, names in (("without-first-half", changed[:half]), ("without-second-half", changed[half:])):
            said = f"Without {', '.join(names)} the run starts: one of them stops it."
            variants.append(Variant(slug, said, dropped=tuple(names)))
    if case.spec.devices != ["cpu"] and case.evidence.get("cause") in ("device", None):
        said = "On the CPU the run starts: what stops it is the device."
        variants.append(Variant("on-the-cpu", said, num_envs=ENVIRONMENTS, devices=("cpu",)))
    return Family("Is it the installation, the device, or what the experiment changes?", variants, steps, HORIZON)
