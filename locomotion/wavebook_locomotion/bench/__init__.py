"""Benchmarks of the simulator and of the training: ``python -m wavebook_locomotion.bench``."""
