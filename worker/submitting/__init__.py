"""Submits, inputs and doubts."""
