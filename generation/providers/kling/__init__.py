"""Kling."""

from typing import Any

from generation.operation import Operation

OPERATIONS: tuple[Operation[Any], ...] = ()
