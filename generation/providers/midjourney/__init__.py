"""Midjourney, through the midjourney-proxy protocol."""

from generation.providers.midjourney.operations import OPERATIONS

__all__ = ["OPERATIONS"]
