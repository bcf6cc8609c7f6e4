"""The tasks' schemas, one JSON document each, and the script that makes them."""
