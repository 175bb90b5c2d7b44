"""Statements about API keys, limits and secrets."""
