"""Dependencies that every router uses: the container and its parts, JSON bodies, query strings."""

from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import ValidationError

from api.container import Container
from api.http.problems import invalid
from api.http.query_params import Query as QueryModel
from api.http.query_params import check_names
from api.http.request_body import read_body, read_json
from api.http.schemas import RequestModel
from api.http.validation_errors import complaints
from generation.settings import Settings
from generation.store import Store


def container_of(request: Request) -> Container:
    """Return the process's container, which the application keeps in its state."""
    return request.app.state.container


async def get_container(request: Request) -> Container:
    """Return the container. Asynchronous: FastAPI calls plain functions in a thread."""
    return container_of(request)


InContainer = Annotated[Container, Depends(get_container)]


async def get_store(container: InContainer) -> Store:
    return container.store


async def get_settings(container: InContainer) -> Settings:
    return container.settings


InStore = Annotated[Store, Depends(get_store)]
InSettings = Annotated[Settings, Depends(get_settings)]


class RawJsonBody:
    """Reads the body as JSON; the OpenAPI document describes it by `model`.

    It replaces FastAPI's body parameters, which are read before the caller is authenticated,
    without a limit of size, and accept names that one object has twice. An endpoint takes it after
    the caller: `body: Annotated[object, RawJsonBody.of(JobSubmission)]`.
    """

    def __init__(self, model: type[RequestModel], max_bytes: int | None = None) -> None:
        self.model = model
        self.max_bytes = max_bytes

    @classmethod
    def of(cls, model: type[RequestModel], max_bytes: int | None = None) -> Any:
        """Return the dependency. `max_bytes` replaces the limit of the settings."""
        return Depends(cls(model, max_bytes))

    async def __call__(self, request: Request, settings: InSettings) -> Any:
        """Return the body. Raises `Problem`: 400, 408, 413, 422."""
        limit = self.max_bytes or settings.max_body_bytes
        return read_json(await read_body(request, limit))


class JsonBody(RawJsonBody):
    """Reads the body as JSON and validates it by its model.

    `body: Annotated[KeyCreate, JsonBody.of(KeyCreate)]`.
    """

    async def __call__(self, request: Request, settings: InSettings) -> RequestModel:
        """Return the validated body. Raises `Problem`: 400, 408, 413, 422."""
        body = await super().__call__(request, settings)
        try:
            return self.model.model_validate(body)
        except ValidationError as error:
            raise invalid(complaints(error, body, self.model)) from error


def query_of(model: type[QueryModel]) -> Any:
    """Return a dependency that reads the query string into `model`.

    A name that is unknown or given twice raises `Problem` (400), as an unusable value does (see
    `api.routing.ApiRoute`).
    """
    return Depends(QueryReader(model))


class QueryReader:
    """Reads the query string into its model."""

    def __init__(self, model: type[QueryModel]) -> None:
        self.names = [field.alias or name for name, field in model.model_fields.items()]
        request = Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)
        query = Parameter("query", Parameter.KEYWORD_ONLY, annotation=Annotated[model, Query()])
        self.__signature__ = Signature([request, query])

    async def __call__(self, request: Request, query: Any) -> Any:
        check_names(request.query_params, self.names)
        return query
