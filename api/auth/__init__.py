"""Who calls, and how much."""
