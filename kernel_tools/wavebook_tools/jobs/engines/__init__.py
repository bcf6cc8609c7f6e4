"""Where runs are executed: on this machine, or through a cluster's scheduler."""
