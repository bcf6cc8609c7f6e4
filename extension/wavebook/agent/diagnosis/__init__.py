"""From what the watchdog found to a wave that isolates the cause: one file a family of findings."""
