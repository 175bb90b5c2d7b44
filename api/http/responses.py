"""JSON responses."""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response


def json_answer(
    document: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return `document` as compact JSON in UTF-8."""
    return Response(to_json(document), status, headers, "application/json")
