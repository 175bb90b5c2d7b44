"""The command line, as people and programs meet it: the real console script in real processes."""
