"""DHAV1, its velocity tasks, training and evaluation in Isaac Lab.

Importing this package is light: the simulator and torch are imported by the modules that need them.
"""
