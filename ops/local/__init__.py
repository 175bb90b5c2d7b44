"""The whole of genq on one machine: a stack started by one command, and a demonstration on it."""
