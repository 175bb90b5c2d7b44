"""Kling's orders in each of its dialects."""

from typing import Any

from generation.contract.operation import Operation
from generation.providers.kling import newapi, v2
from generation.providers.kling.endpoints import audio, editing, faces, image, library, video
from generation.providers.kling.newapi import KlingNewApi
from generation.providers.kling.v1 import KlingV1
from generation.providers.kling.v2 import KlingV2

ENDPOINTS = (
    *video.ENDPOINTS,
    *editing.ENDPOINTS,
    *faces.ENDPOINTS,
    *image.ENDPOINTS,
    *audio.ENDPOINTS,
    *library.ENDPOINTS,
)

OPERATIONS: tuple[Operation[Any], ...] = (
    *(KlingV1("kling.v1", endpoint) for endpoint in ENDPOINTS),
    *(KlingV1("kling.relay", endpoint) for endpoint in ENDPOINTS if endpoint.relayed),
    *map(KlingV2, v2.ENDPOINTS),
    *map(KlingNewApi, newapi.ENDPOINTS),
)
