"""
`/v1/operations`: what can be ordered.
"""

from starlette.requests import Request
from starlette.responses import Response

from api.http.problem_types import NOT_FOUND
from api.http.problems import Problem
from api.http.responses import json_answer
from api.operations.catalogue import Catalogue
from generation.store import ApiKey


class Operations:
    """The catalogue, for callers."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def all(self, request: Request, caller: ApiKey) -> Response:
        del request, caller
        return json_answer({"data": [entry.document() for entry in self._catalogue.entries]})

    async def get(self, request: Request, caller: ApiKey) -> Response:
        del caller
        provider, name = request.path_params["provider"], request.path_params["operation"]
        entry = self._catalogue.find(provider, name)
        if entry is None:
            raise Problem(NOT_FOUND, "there is no such operation; GET /v1/operations lists them")
        return json_answer(entry.document())
