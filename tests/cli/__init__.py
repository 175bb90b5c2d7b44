"""The command line: the real console script in real processes."""
