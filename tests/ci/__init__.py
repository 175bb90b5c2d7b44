"""Checks of the repository that `.ci/run` runs."""
