"""mjlab's training of its Go1, as something to compare ours with; mjlab stands in an environment of its own."""
