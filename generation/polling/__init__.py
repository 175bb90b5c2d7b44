"""When to look at a running task."""
