"""Limits, units and explanations of parameters, by pattern of their names; the first that matches counts.

Limits refuse what cannot be meant (a negative standard deviation), not what is merely unusual.
"""

from __future__ import annotations

from typing import Any

from wavebook_locomotion import observation_sets
from wavebook_locomotion.randomization import presets as randomization
from wavebook_locomotion.rewards.presets import PRESETS
from wavebook_locomotion.rewards.presets import names as preset_names
from wavebook_locomotion.symmetry.presets import names as symmetry_names
from wavebook_locomotion.terrains.sets import SETS

ACTIVATIONS = ["elu", "selu", "relu", "crelu", "lrelu", "tanh", "sigmoid", "softplus", "gelu", "swish", "mish"]

RANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "env.terrain_set",
        {
            "choices": list(SETS),
            "description": "Ground by name: level, noise and slopes, or stairs and boxes as well; a sub-terrain's own"
            " proportion counts above it",
        },
    ),
    (
        "env.reward_preset",
        {
            "choices": preset_names(),
            "description": "Reward weights by name: "
            + " ".join(f"{name}: {preset.about}" for name, preset in PRESETS.items())
            + " own: the task's. A weight of its own counts above it",
        },
    ),
    (
        "env.randomization",
        {
            "choices": randomization.names(),
            "description": "Domain randomisation by name: "
            + " ".join(f"{name}: {preset.about}" for name, preset in randomization.PRESETS.items())
            + " own: the task's. It replaces all of the task's",
        },
    ),
    ("env.observation_set", {"choices": list(observation_sets.HIDDEN), "description": observation_sets.ABOUT}),
    ("env.episode_length_s", {"minimum": 1.0, "maximum": 120.0, "unit": "s", "description": "Length of an episode"}),
    ("env.decimation", {"minimum": 1, "maximum": 50, "description": "Physics steps for each step of the policy"}),
    ("env.sim.dt", {"minimum": 0.0005, "maximum": 0.02, "unit": "s", "description": "Length of a physics step"}),
    (
        "env.sim.physics.solver_cfg.njmax",
        {"minimum": 8, "maximum": 10000, "description": "Room for constraint rows of one robot"},
    ),
    (
        "env.sim.physics.solver_cfg.nconmax",
        {"minimum": 4, "maximum": 5000, "description": "Room for contacts of one robot"},
    ),
    (
        "env.rewards.track_*.params.std",
        {"minimum": 0.05, "maximum": 5.0, "description": "Width of the tracking kernel exp(-error^2 / std^2)"},
    ),
    (
        "env.rewards.*.params.threshold",
        {"minimum": 0.0, "maximum": 1000.0, "description": "Time [s] or force [N] from which the term counts"},
    ),
    (
        "env.rewards.*.params.sigma",
        {"minimum": 0.001, "maximum": 10.0, "unit": "s²", "description": "Width of a kernel"},
    ),
    ("env.rewards.*.params.max_error", {"minimum": 0.01, "maximum": 2.0, "unit": "s"}),
    ("env.rewards.*.params.max_time", {"minimum": 0.01, "maximum": 5.0, "unit": "s"}),
    ("env.rewards.*.params.tanh_mult", {"minimum": 0.01, "maximum": 100.0, "unit": "s/m"}),
    (
        "env.rewards.*.params.command_threshold",
        {"minimum": 0.0, "maximum": 2.0, "description": "Norm of the command that divides standing from walking"},
    ),
    (
        "env.rewards.feet_height_body.params.target_height",
        {
            "minimum": -1.0,
            "maximum": 0.0,
            "unit": "m",
            "description": "Wanted height of a swinging foot in the base's frame, below it",
        },
    ),
    (
        "env.rewards.*.params.target_height",
        {"minimum": 0.05, "maximum": 1.0, "unit": "m", "description": "Wanted height of the base above the ground"},
    ),
    (
        "env.terminations.*.params.threshold",
        {"minimum": 0.0, "maximum": 1000.0, "unit": "N", "description": "Contact force that ends the episode"},
    ),
    (
        "env.events.*.params.*friction_range",
        {"minimum": 0.0, "maximum": 5.0, "description": "Range the coefficient of friction is drawn from"},
    ),
    ("env.events.*.params.restitution_range", {"minimum": 0.0, "maximum": 1.0}),
    ("env.events.*.params.num_buckets", {"minimum": 1, "maximum": 4096}),
    ("env.events.*.params.operation", {"choices": ["add", "scale", "abs"]}),
    ("env.events.*.params.distribution", {"choices": ["uniform", "log_uniform", "gaussian"]}),
    (
        "env.events.*.params.mass_distribution_params",
        {"minimum": -20.0, "maximum": 20.0, "description": "Range the mass is scaled by, or changed by [kg]"},
    ),
    (
        "env.events.*.params.com_range.*",
        {"minimum": -0.5, "maximum": 0.5, "unit": "m", "description": "Range the centre of mass is moved by"},
    ),
    ("env.events.*.params.force_range", {"minimum": -1000.0, "maximum": 1000.0, "unit": "N"}),
    ("env.events.*.params.torque_range", {"minimum": -1000.0, "maximum": 1000.0, "unit": "N m"}),
    (
        "env.events.*.params.pose_range.[xyz]",
        {"minimum": -5.0, "maximum": 5.0, "unit": "m", "description": "Range of the start's position"},
    ),
    (
        "env.events.*.params.pose_range.*",
        {"minimum": -3.15, "maximum": 3.15, "unit": "rad", "description": "Range of the start's attitude"},
    ),
    (
        "env.events.*.params.velocity_range.[xyz]",
        {"minimum": -5.0, "maximum": 5.0, "unit": "m/s", "description": "Range of the velocity that is set"},
    ),
    (
        "env.events.*.params.velocity_range.*",
        {
            "minimum": -10.0,
            "maximum": 10.0,
            "unit": "rad/s",
            "description": "Range of the angular velocity that is set",
        },
    ),
    (
        "env.events.*.params.position_range",
        {"minimum": 0.0, "maximum": 3.0, "description": "Range of the factor on the standing joint angles"},
    ),
    ("env.events.*.params.velocity_range", {"minimum": -50.0, "maximum": 50.0}),
    (
        "env.events.*.interval_range_s",
        {"minimum": 0.02, "maximum": 1000.0, "unit": "s", "description": "Range of the time between two"},
    ),
    (
        "env.observations.policy.enable_corruption",
        {"description": "Whether noise is added to what the policy observes"},
    ),
    ("env.observations.*.noise.*", {"minimum": -10.0, "maximum": 10.0, "description": "Bound of the uniform noise"}),
    ("env.observations.*.clip", {"minimum": -1000.0, "maximum": 1000.0}),
    (
        "env.actions.joint_pos.scale",
        {"minimum": 0.01, "maximum": 2.0, "unit": "rad", "description": "Joint angle that an action of 1 asks for"},
    ),
    (
        "env.commands.*.resampling_time_range",
        {"minimum": 0.1, "maximum": 1000.0, "unit": "s", "description": "Range of the time that a command is held"},
    ),
    (
        "env.commands.*.heading_command",
        {"description": "Whether the yaw rate follows from a commanded heading instead of being drawn"},
    ),
    ("env.commands.*.heading_control_stiffness", {"minimum": 0.0, "maximum": 10.0, "unit": "1/s"}),
    (
        "env.commands.*.rel_*_envs",
        {"minimum": 0.0, "maximum": 1.0, "description": "Fraction of the environments with such a command"},
    ),
    (
        "env.commands.*.ranges.lin_vel_*",
        {"minimum": -3.0, "maximum": 3.0, "unit": "m/s", "description": "Range of the commanded velocity"},
    ),
    (
        "env.commands.*.ranges.ang_vel_z",
        {"minimum": -5.0, "maximum": 5.0, "unit": "rad/s", "description": "Range of the commanded yaw rate"},
    ),
    (
        "env.commands.*.ranges.heading",
        {"minimum": -3.15, "maximum": 3.15, "unit": "rad", "description": "Range of the commanded heading"},
    ),
    (
        "env.scene.terrain.max_init_terrain_level",
        {"minimum": 0, "maximum": 100, "description": "Highest level on which a robot starts; null for any"},
    ),
    (
        "env.scene.terrain.terrain_generator.num_rows",
        {"minimum": 1, "maximum": 50, "description": "Levels of difficulty"},
    ),
    ("env.scene.terrain.terrain_generator.num_cols", {"minimum": 1, "maximum": 100}),
    ("env.scene.terrain.terrain_generator.difficulty_range", {"minimum": 0.0, "maximum": 1.0}),
    (
        "env.scene.terrain.*.proportion",
        {"minimum": 0.0, "maximum": 1.0, "description": "Share of the ground, relative to the others'"},
    ),
    (
        "env.scene.terrain.*.convert_to_heightfield",
        {
            "description": "Whether the physics may take the ground as a height field, which is faster and turns risers"
            " into slopes of a grid cell; it does once every chosen sub-terrain allows it"
        },
    ),
    (
        "env.scene.terrain.*.*height_range",
        {"minimum": 0.0, "maximum": 0.5, "unit": "m", "description": "Height at the lowest and at the highest level"},
    ),
    ("env.scene.terrain.*.slope_range", {"minimum": 0.0, "maximum": 1.5, "description": "Slope from level to level"}),
    ("env.scene.terrain.*.noise_range", {"minimum": 0.0, "maximum": 0.5, "unit": "m"}),
    ("env.scene.terrain.*.noise_step", {"minimum": 0.001, "maximum": 0.1, "unit": "m"}),
    ("env.scene.terrain.*.*width", {"minimum": 0.05, "maximum": 8.0, "unit": "m"}),
    (
        "agent.num_steps_per_env",
        {"minimum": 1, "maximum": 1000, "description": "Steps of each environment in an iteration"},
    ),
    ("agent.save_interval", {"minimum": 1, "maximum": 100000, "description": "Iterations between two checkpoints"}),
    (
        "agent.init_at_random_ep_len",
        {"description": "Whether the first episodes begin at a random time of their length"},
    ),
    ("agent.clip_actions", {"minimum": 0.1, "maximum": 1000.0, "description": "Bound of an action; null for none"}),
    ("agent.*.hidden_dims", {"minimum": 1, "maximum": 4096, "description": "Width of each hidden layer"}),
    ("agent.actor.latent_dim", {"minimum": 1, "maximum": 256, "description": "Columns of HIM's latent"}),
    (
        "agent.actor.prototypes",
        {"minimum": 2, "maximum": 1024, "description": "Prototypes of HIM's swapped prediction"},
    ),
    ("agent.actor.*_hidden_dims", {"minimum": 1, "maximum": 4096, "description": "Width of each hidden layer"}),
    (
        "agent.actor.temperature",
        {"minimum": 0.01, "maximum": 100.0, "description": "Softness of HIM's swapped prediction"},
    ),
    ("agent.*.activation", {"choices": ACTIVATIONS}),
    ("agent.*.obs_normalization", {"description": "Whether observations are scaled by their running mean and spread"}),
    (
        "agent.*.distribution_cfg.init_std",
        {"minimum": 0.01, "maximum": 5.0, "description": "Standard deviation of the actions at the start"},
    ),
    ("agent.*.distribution_cfg.std_type", {"choices": ["scalar", "log"]}),
    ("agent.*.distribution_cfg.std_range", {"minimum": 1e-6, "maximum": 1e6}),
    (
        "agent.algorithm.symmetry",
        {
            "choices": symmetry_names(),
            "description": "What PPO makes of left and right being alike: nothing, mirrored samples beside its own, a"
            " loss on actions that differ from their mirror image, both, or only the measurement of that loss",
        },
    ),
    ("agent.algorithm.num_learning_epochs", {"minimum": 1, "maximum": 100}),
    ("agent.algorithm.num_mini_batches", {"minimum": 1, "maximum": 1024}),
    ("agent.algorithm.learning_rate", {"minimum": 1e-6, "maximum": 0.1, "description": "Adam's step size"}),
    (
        "agent.algorithm.schedule",
        {"choices": ["adaptive", "fixed"], "description": "Whether the step size follows the policy's change"},
    ),
    ("agent.algorithm.gamma", {"minimum": 0.0, "maximum": 1.0, "description": "Discount of a step"}),
    ("agent.algorithm.lam", {"minimum": 0.0, "maximum": 1.0, "description": "Lambda of the advantage estimate"}),
    ("agent.algorithm.entropy_coef", {"minimum": 0.0, "maximum": 1.0, "description": "Weight of the entropy bonus"}),
    (
        "agent.algorithm.desired_kl",
        {"minimum": 1e-4, "maximum": 1.0, "description": "Change of the policy that the adaptive step size aims at"},
    ),
    (
        "agent.algorithm.estimator_learning_rate",
        {"minimum": 1e-6, "maximum": 0.1, "description": "Adam's step size for HIM's internal model"},
    ),
    ("agent.algorithm.estimator_max_grad_norm", {"minimum": 0.01, "maximum": 1000.0}),
    ("agent.algorithm.max_grad_norm", {"minimum": 0.01, "maximum": 1000.0}),
    ("agent.algorithm.value_loss_coef", {"minimum": 0.0, "maximum": 100.0}),
    ("agent.algorithm.clip_param", {"minimum": 0.01, "maximum": 1.0, "description": "PPO's bound on a ratio"}),
)
