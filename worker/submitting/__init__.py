"""Submits, inputs and jobs in doubt."""
