"""DHAV1, a quadruped of 12 degrees of freedom: ``numbers`` is the one source of its assets and its configuration."""
