"""Tasks, registered with gymnasium when a family's package is imported."""
