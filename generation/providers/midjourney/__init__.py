"""Midjourney, through the midjourney-proxy protocol."""

from typing import Any

from generation.operation import Operation
from generation.providers.midjourney.operations import COMMANDS, ProxyOperation, StationOperation

OPERATIONS: tuple[Operation[Any], ...] = (
    *(ProxyOperation(command) for command in COMMANDS),
    *(StationOperation(command) for command in COMMANDS),
)
