"""A job's whole story, in words for a person and in data for a program."""

from generation.explain.explanation import explanation_document
from generation.explain.story import Move, Story, Telling, Try

__all__ = ["Move", "Story", "Telling", "Try", "explanation_document"]
