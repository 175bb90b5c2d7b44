"""Statements that keep the database in order."""
