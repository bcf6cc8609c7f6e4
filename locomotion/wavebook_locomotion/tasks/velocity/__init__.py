"""DHAV1 follows a commanded velocity, on flat and on rough ground."""

import gymnasium

FLAT = "Wavebook-Velocity-Flat-DHAV1"
ROUGH = "Wavebook-Velocity-Rough-DHAV1"
QUICK = "Wavebook-Velocity-Quick-DHAV1"
HIM_FLAT = "Wavebook-Velocity-Flat-HIM-DHAV1"
HIM_ROUGH = "Wavebook-Velocity-Rough-HIM-DHAV1"

for _task, _environment, _runner in (
    (FLAT, "flat:Dhav1FlatEnvCfg", "learner:Dhav1FlatRunnerCfg"),
    (ROUGH, "rough:Dhav1RoughEnvCfg", "learner:Dhav1RoughRunnerCfg"),
    (QUICK, "quick:Dhav1QuickEnvCfg", "quick:Dhav1QuickRunnerCfg"),
    (HIM_FLAT, "him:Dhav1HimFlatEnvCfg", "him:Dhav1HimFlatRunnerCfg"),
    (HIM_ROUGH, "him:Dhav1HimRoughEnvCfg", "him:Dhav1HimRoughRunnerCfg"),
):
    gymnasium.register(
        id=_task,
        entry_point="wavebook_locomotion.guard:GuardedRLEnv",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": f"{__name__}.{_environment}",
            "rsl_rl_cfg_entry_point": f"{__name__}.{_runner}",
            "default_agent": "rsl_rl",
        },
    )
