"""Robots, one folder each: its numbers, its assets and its configuration for Isaac Lab."""
