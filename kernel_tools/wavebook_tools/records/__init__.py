"""What stands on disk: plans, runs, events, the ledger, and the project that holds them."""
