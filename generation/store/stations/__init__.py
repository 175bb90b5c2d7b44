"""Statements about station keys and what was learned of stations."""
