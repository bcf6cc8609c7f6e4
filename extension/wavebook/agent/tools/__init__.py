"""What agents can do: one small file a tool."""
