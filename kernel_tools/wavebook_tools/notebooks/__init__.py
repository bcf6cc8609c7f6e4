"""Notebooks as runs: rendered from a template, executed by an engine that writes events, signed when they are ours."""
