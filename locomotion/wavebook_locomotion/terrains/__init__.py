"""The ground: its sub-terrains, sets of them by name, and the search for those that break a configuration."""
