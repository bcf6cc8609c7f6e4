"""Failure signatures of runs, and the watchdog that looks for them."""
