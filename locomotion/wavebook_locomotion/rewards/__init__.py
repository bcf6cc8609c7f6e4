"""Reward terms that Isaac Lab's velocity task lacks, one file a family, and sets of weights by name."""
