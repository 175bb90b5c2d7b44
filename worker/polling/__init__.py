"""Looks at running tasks."""
