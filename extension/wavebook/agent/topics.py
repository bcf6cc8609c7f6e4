"""What a directive can be about, and what the offline planner would change for it.

Each topic has the words by which it is recognised, the number of the fixed evaluation that tells whether it got better,
and the moves that are worth trying, most promising first. A move whose parameter a task does not have is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Way = Literal["stronger", "weaker"]
"""Larger or smaller in magnitude: a penalty of -2 made stronger is -4."""


@dataclass(frozen=True)
class Move:
    """One change of one parameter, and why it may help."""

    parameter: str
    way: Way
    reason: str


@dataclass(frozen=True)
class Topic:
    """A goal that a directive can name."""

    key: str
    goal: str
    """What a wave about it is to do, as its goal begins."""
    words: re.Pattern[str]
    metric: str
    """A key of result.json."""
    direction: Literal["down", "up"]
    """Which way is better."""
    moves: tuple[Move, ...]
    measured: bool = True
    """Whether that number is the goal itself; else it only tells what the goal costs."""


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(patterns) + r")\b")


_LIN = "env.rewards.track_lin_vel_xy_exp"
_YAW = "env.rewards.track_ang_vel_z_exp"
_REWARDS = "env.rewards"
_PPO = "agent.algorithm"

TOPICS: tuple[Topic, ...] = (
    Topic(
        "learning",
        "Learn faster",
        _words(
            r"learn(?:s|ing)?\s+(?:much\s+)?(?:faster|quicker|sooner|speed)",
            r"(?:speed|rate)\s+of\s+learning",
            r"(?:faster|quicker)\s+(?:learning|training|convergence)",
            r"speed(?:ing)?\s+up\s+(?:the\s+)?(?:learning|training)",
            r"train(?:s|ing)?\s+(?:faster|quicker)",
            r"converg\w*(?:\s+faster)?",
            r"sample[\s-]+efficien\w*",
            r"fewer\s+iterations",
        ),
        "error_vel_xy",
        "down",
        (
            Move(f"{_PPO}.learning_rate", "stronger", "a short training needs larger steps"),
            Move(f"{_PPO}.gamma", "weaker", "a shorter horizon has less variance and learns from fewer steps"),
            Move(
                "agent.actor.distribution_cfg.init_std",
                "weaker",
                "calmer first actions fall less and see more of walking",
            ),
            Move(f"{_PPO}.entropy_coef", "weaker", "with less pay for randomness the policy commits sooner"),
            Move(f"{_PPO}.num_learning_epochs", "stronger", "each batch of experience is used more often"),
        ),
    ),
    Topic(
        "turning",
        "Turn as commanded",
        _words(
            r"turn(?:s|ing)?",
            r"yaw(?:ing)?",
            r"rotat\w*",
            r"heading",
            r"straight(?:er)?",
            r"steer\w*",
            r"spin(?:s|ning)?",
        ),
        "error_vel_yaw",
        "down",
        (
            Move(f"{_YAW}.weight", "stronger", "the yaw rate is paid for against everything else"),
            Move(f"{_YAW}.params.std", "weaker", "a narrower kernel still pays when the error is small already"),
            Move(f"{_REWARDS}.action_rate_l2.weight", "weaker", "turning needs quick changes of the legs' phase"),
            Move(f"{_LIN}.weight", "weaker", "the planar velocity leaves more of the reward to turning"),
        ),
    ),
    Topic(
        "terrain",
        "Get further on rough ground",
        _words(
            r"rough",
            r"uneven",
            r"terrains?",
            r"stairs?",
            r"steps\s+up",
            r"slop\w*",
            r"climb\w*",
            r"obstacles?",
            r"boxes",
            r"hills?",
            r"off[\s-]?road",
        ),
        "terrain_level",
        "up",
        (
            Move(
                f"{_REWARDS}.feet_air_time.weight", "stronger", "feet that leave the ground longer clear higher steps"
            ),
            Move(f"{_REWARDS}.lin_vel_z_l2.weight", "weaker", "climbing is vertical motion, which this term punishes"),
            Move(f"{_REWARDS}.flat_orientation_l2.weight", "weaker", "a slope asks for a tilted base"),
            Move(f"{_REWARDS}.base_height_l2.weight", "weaker", "over steps the height above the ground changes"),
            Move(
                "env.scene.terrain.terrain_generator.sub_terrains.random_rough.proportion",
                "stronger",
                "on noisy ground a robot learns to lift its feet before it meets stairs",
            ),
            Move(
                "env.scene.terrain.terrain_generator.sub_terrains.boxes.proportion",
                "weaker",
                "boxes stop a young policy before it has learnt to walk",
            ),
            Move(f"{_PPO}.entropy_coef", "stronger", "harder ground needs longer exploration"),
        ),
    ),
    Topic(
        "falls",
        "Fall less often",
        _words(
            r"fall(?:s|ing|en)?",
            r"stable",
            r"stability",
            r"balanc\w*",
            r"robust\w*",
            r"surviv\w*",
            r"time[\s-]?outs?",
            r"tip(?:s|ping)?\s+over",
            r"crash\w*",
        ),
        "time_out",
        "up",
        (
            Move(f"{_REWARDS}.flat_orientation_l2.weight", "stronger", "a level base tips over less"),
            Move(f"{_REWARDS}.ang_vel_xy_l2.weight", "stronger", "rolling and pitching precede a fall"),
            Move(f"{_REWARDS}.base_height_l2.weight", "stronger", "a base at standing height has room to recover"),
            Move(f"{_REWARDS}.lin_vel_z_l2.weight", "stronger", "bouncing precedes a fall"),
            Move("env.actions.joint_pos.scale", "weaker", "smaller motions of the joints upset the balance less"),
        ),
    ),
    Topic(
        "smoothness",
        "Move more smoothly",
        _words(
            r"smooth\w*",
            r"jerk\w*",
            r"shak\w*",
            r"jitter\w*",
            r"wobbl\w*",
            r"stomp\w*",
            r"vibrat\w*",
            r"twitch\w*",
            r"calm\w*",
            r"gentl\w*",
            r"oscillat\w*",
        ),
        "error_vel_xy",
        "down",
        (
            Move(
                f"{_REWARDS}.action_rate_l2.weight", "stronger", "changes of the action from step to step are punished"
            ),
            Move(f"{_REWARDS}.dof_acc_l2.weight", "stronger", "accelerations of the joints are punished"),
            Move(f"{_REWARDS}.ang_vel_xy_l2.weight", "stronger", "rolling and pitching of the base are punished"),
            Move("env.actions.joint_pos.scale", "weaker", "the same action moves a joint less far"),
        ),
        measured=False,
    ),
    Topic(
        "energy",
        "Use less energy",
        _words(r"energ\w*", r"power", r"torques?", r"effort", r"efficien\w*", r"battery", r"cost\s+of\s+transport"),
        "error_vel_xy",
        "down",
        (
            Move(f"{_REWARDS}.dof_torques_l2.weight", "stronger", "torque is what the motors burn"),
            Move(f"{_REWARDS}.joint_power.weight", "stronger", "mechanical power is punished directly"),
            Move(f"{_REWARDS}.dof_acc_l2.weight", "stronger", "accelerating legs costs torque"),
            Move(f"{_REWARDS}.action_rate_l2.weight", "stronger", "abrupt actions cost torque"),
        ),
        measured=False,
    ),
    Topic(
        "gait",
        "Walk with a better gait",
        _words(
            r"gaits?",
            r"trot\w*",
            r"stepping",
            r"feet",
            r"foot",
            r"legs?",
            r"lift\w*",
            r"strides?",
            r"shuffl\w*",
            r"drag\w*",
        ),
        "error_vel_xy",
        "down",
        (
            Move(f"{_REWARDS}.feet_air_time.weight", "stronger", "steps are paid for, shuffling is not"),
            Move(f"{_REWARDS}.feet_gait.weight", "stronger", "diagonal legs that move together make a trot"),
            Move(f"{_REWARDS}.feet_air_time_variance.weight", "stronger", "legs that share the load step alike"),
            Move(f"{_REWARDS}.joint_mirror.weight", "stronger", "diagonal legs that mirror each other make a trot"),
            Move(f"{_REWARDS}.undesired_contacts.weight", "stronger", "thighs that touch the ground are no steps"),
        ),
        measured=False,
    ),
    Topic(
        "exploration",
        "Explore as much as it takes",
        _words(r"explor\w*", r"entropy", r"randomness"),
        "error_vel_xy",
        "down",
        (
            Move(f"{_PPO}.entropy_coef", "weaker", "with less pay for randomness the policy tracks sooner"),
            Move(f"{_PPO}.entropy_coef", "stronger", "with more pay for randomness it is not stuck early"),
            Move("agent.actor.distribution_cfg.init_std", "weaker", "calmer first actions fall less"),
        ),
    ),
    Topic(
        "network",
        "Find the network's size",
        _words(r"networks?", r"hidden", r"layers?", r"neurons?", r"units", r"architectures?", r"mlp", r"policy\s+size"),
        "error_vel_xy",
        "down",
        (
            Move("agent.actor.hidden_dims", "stronger", "a wider network can hold a finer policy"),
            Move("agent.actor.hidden_dims", "weaker", "a smaller network learns from fewer samples"),
        ),
    ),
    Topic(
        "optimiser",
        "Find the optimiser's settings",
        _words(
            r"learning[\s-]+rates?",
            r"optimi[sz]er",
            r"ppo",
            r"clip(?:ping)?",
            r"mini[\s-]?batch\w*",
            r"epochs?",
            r"hyper[\s-]?parameters?",
            r"discount\w*",
            r"gamma",
        ),
        "error_vel_xy",
        "down",
        (
            Move(f"{_PPO}.learning_rate", "weaker", "smaller steps are stabler"),
            Move(f"{_PPO}.learning_rate", "stronger", "larger steps learn from fewer iterations"),
            Move(f"{_PPO}.gamma", "weaker", "a shorter horizon has less variance"),
            Move(f"{_PPO}.num_learning_epochs", "stronger", "each batch of experience is used more often"),
            Move(f"{_PPO}.num_mini_batches", "stronger", "more steps are made with each batch"),
        ),
    ),
    Topic(
        "velocity",
        "Track the commanded velocity better",
        _words(
            r"velocit\w*",
            r"speeds?",
            r"track\w*",
            r"follow\w*",
            r"command\w*",
            r"accura\w*",
            r"precis\w*",
            r"errors?",
            r"(?:walk|run|mov|go)\w*\s+faster",
        ),
        "error_vel_xy",
        "down",
        (
            Move(f"{_LIN}.weight", "stronger", "tracking becomes worth the penalties that walking costs"),
            Move(f"{_LIN}.params.std", "weaker", "a narrower kernel still pays when the error is small already"),
            Move(
                f"{_REWARDS}.action_rate_l2.weight",
                "weaker",
                "a stiff penalty on changes slows the answer to a command",
            ),
            Move(f"{_PPO}.entropy_coef", "weaker", "less randomness leaves less error at the end"),
            Move(
                f"{_REWARDS}.feet_air_time.weight", "stronger", "a policy that steps instead of shuffling gets faster"
            ),
            Move("env.actions.joint_pos.scale", "stronger", "longer reaches of the legs allow faster steps"),
        ),
    ),
)
"""In the order in which they are looked for: the more special first."""

BY_KEY = {topic.key: topic for topic in TOPICS}

UNMEASURED = {
    "smoothness": "The fixed evaluation does not measure smoothness: it only tells whether tracking suffers.",
    "energy": "A verdict goes by tracking alone; cost of transport and torque use stand beside it in each result.",
    "gait": "The fixed evaluation does not measure the gait itself: it tells how well the robot tracks with it.",
}
"""What a person should know about topics that no number of the evaluation stands for."""
