"""`/v1/operations`: the operations that jobs can be submitted to."""

from typing import Annotated, Any, ClassVar, Literal

from fastapi import Path
from pydantic import Field
from starlette.responses import Response

from api.auth.dependencies import Reader
from api.dependencies import InContainer
from api.http.problem_types import NOT_FOUND
from api.http.problems import Problem
from api.http.responses import json_answer
from api.http.schemas import Document
from api.operations.catalogue import EXAMPLE
from api.routing import new_router

router = new_router("Operations", "/v1/operations")


class Operation(Document):
    """An operation of a provider."""

    EXAMPLE: ClassVar[object] = EXAMPLE

    object: Literal["operation"]
    provider: str
    name: str
    summary: str
    dialects: list[str] = Field(description="The wire formats in which stations offer it.")
    offered: bool = Field(description="Whether a station of this deployment offers it.")
    stations: list[str] = Field(description="The stations that offer it, first choice first.")
    example: dict[str, Any] = Field(description="A valid `input`.")
    input_schema: dict[str, Any] = Field(description="JSON Schema of `input`.")


class OperationList(Document):
    """All operations."""

    EXAMPLE: ClassVar[object] = {"data": [EXAMPLE]}

    data: list[Operation]


@router.get("", response_model=OperationList)
async def list_operations(_: Reader, container: InContainer) -> Response:
    """List operations.

    All operations of this version of genq; `offered` tells which of them are available here.
    """
    return json_answer({"data": [entry.document() for entry in container.catalogue.entries]})


@router.get("/{provider}/{operation}", response_model=Operation)
async def get_operation(
    _: Reader,
    provider: Annotated[str, Path(description="The provider, such as `kling`.")],
    operation: Annotated[str, Path(description="The operation, such as `text2video`.")],
    container: InContainer,
) -> Response:
    """Get an operation.

    With the JSON Schema of its `input` and an example.
    """
    entry = container.catalogue.find(provider, operation)
    if entry is None:
        raise Problem(NOT_FOUND, "there is no such operation; GET /v1/operations lists them")
    return json_answer(entry.document())
