"""Statements about jobs."""
