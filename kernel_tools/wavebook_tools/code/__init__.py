"""Code overrides: what their source may hold, how a person sees it, how it becomes a cell."""
