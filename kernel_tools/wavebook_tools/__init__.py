"""What kernels, server and command line share: records, notebooks, jobs, metrics, comparison."""
