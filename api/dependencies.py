"""Dependencies that every router uses: the container and its parts, JSON bodies, query strings."""

from collections.abc import Mapping
from inspect import Parameter, Signature
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, ValidationError

from api.container import Door
from api.http.problems import invalid
from api.http.query_params import Query as QueryModel
from api.http.query_params import check_names
from api.http.request_body import read_body, read_json
from api.http.validation_errors import complaints
from generation.settings import Settings
from generation.store import Store


def container_of(request: Request) -> Door:
    """Return the process's container, which the application keeps in its state."""
    return request.app.state.container


async def get_container(request: Request) -> Door:
    """Return the container. Asynchronous: FastAPI calls plain functions in a thread."""
    return container_of(request)


InContainer = Annotated[Door, Depends(get_container)]


async def get_store(container: InContainer) -> Store:
    return container.store


async def get_settings(container: InContainer) -> Settings:
    return container.settings


InStore = Annotated[Store, Depends(get_store)]
InSettings = Annotated[Settings, Depends(get_settings)]


class RequestModel(BaseModel):
    """The body of a request. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")

    #: For the OpenAPI document: example bodies by their summaries.
    EXAMPLES: ClassVar[Mapping[str, Any]] = {}


Model = TypeVar("Model", bound=RequestModel)


class JsonBody(Generic[Model]):
    """Reads the body as JSON and validates it; the OpenAPI document describes it by `model`.

    It replaces FastAPI's body parameters, which are read before the caller is authenticated,
    without a limit of size, and accept names that one object has twice. An endpoint takes it after
    the caller: `body: Annotated[KeyCreate, JsonBody.of(KeyCreate)]`.
    """

    def __init__(self, model: type[Model]) -> None:
        self.model = model

    @classmethod
    def of(cls, model: type[RequestModel]) -> Any:
        return Depends(cls(cast(type[Model], model)))

    async def __call__(self, request: Request, settings: InSettings) -> Model:
        """Return the validated body. Raises `Problem`: 400, 408, 413, 422."""
        body = read_json(await read_body(request, settings.max_body_bytes))
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
