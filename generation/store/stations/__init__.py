"""Statements about station keys and learned durations."""
