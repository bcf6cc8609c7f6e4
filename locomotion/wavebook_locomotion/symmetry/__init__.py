"""The robot's left and right: mirrored observations and actions for PPO, and how they are used by name."""
