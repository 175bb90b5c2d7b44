"""The explanation of a job, as text for people and as data for programs."""

from generation.explain.explanation import explanation_document
from generation.explain.story import Move, Story, Telling, Try

__all__ = ["Move", "Story", "Telling", "Try", "explanation_document"]
