"""Operations, the OpenAPI document, the manual and the pages of problems."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, cast

import pytest
from pydantic import BaseModel

from api.docs import endpoints as about
from api.events import schemas as events
from api.http import schemas as problems
from api.http.problem_types import KINDS
from api.jobs import schemas as jobs
from api.keys import schemas as keys
from api.operations import endpoints as operations
from api.system import endpoints as system
from api.system import upstream_callbacks as callbacks
from api.webhooks import schemas as webhooks
from generation import providers
from tests.api.serving import Caller, Served
from tests.api.test_refused_orders import problem


@pytest.fixture(scope="session")
def spec(over_sqlite: Served) -> dict[str, Any]:
    answer = over_sqlite.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def operations_of(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


class TestOperations:
    def test_the_list_has_all_operations(self, caller: Caller) -> None:
        answer = caller.get("/v1/operations")
        listed = operations.OperationList.model_validate_json(answer.content).data
        assert [f"{each.provider}.{each.name}" for each in listed] == list(providers.names())

    def test_one_operation(self, caller: Caller) -> None:
        answer = caller.get("/v1/operations/midjourney/imagine")
        operation = operations.Operation.model_validate_json(answer.content)
        assert operation.offered
        assert operation.stations == ["relay", "proxy"]
        assert {"midjourney.proxy", "midjourney.station"} <= set(operation.dialects)
        assert "prompt" in operation.input_schema["properties"]
        listed = caller.get("/v1/operations").json()["data"]
        assert answer.json() in listed

    @pytest.mark.parametrize("name", ["kling/text2vdeo", "klng/text2video", "%00/x"])
    def test_an_unknown_operation_is_not_found(self, caller: Caller, name: str) -> None:
        problem(caller.get(f"/v1/operations/{name}"), 404, "not_found")


class TestOpenApi:
    def test_it_is_openapi_3_1_of_this_api(self, spec: dict[str, Any]) -> None:
        assert (spec["openapi"], spec["info"]["title"]) == ("3.1.0", "genq")
        assert {(method, path) for method, path, _ in operations_of(spec)} == {
            ("post", "/v1/jobs"),
            ("get", "/v1/jobs"),
            ("get", "/v1/jobs/{job_id}"),
            ("put", "/v1/jobs/{job_id}"),
            ("post", "/v1/jobs/batch"),
            ("get", "/v1/batches/{batch_id}"),
            ("post", "/v1/batches/{batch_id}/cancel"),
            ("post", "/v1/jobs/{job_id}/cancel"),
            ("post", "/v1/jobs/{job_id}/input"),
            ("get", "/v1/jobs/{job_id}/reply"),
            ("get", "/v1/jobs/{job_id}/events"),
            ("get", "/v1/jobs/{job_id}/stream"),
            ("post", "/v1/jobs/{job_id}/stream-token"),
            ("delete", "/v1/jobs/{job_id}"),
            ("get", "/v1/events"),
            ("get", "/v1/events/stream"),
            ("get", "/v1/jobs/{job_id}/explain"),
            ("post", "/v1/webhook-endpoints"),
            ("get", "/v1/webhook-endpoints"),
            ("get", "/v1/webhook-endpoints/{endpoint_id}"),
            ("patch", "/v1/webhook-endpoints/{endpoint_id}"),
            ("delete", "/v1/webhook-endpoints/{endpoint_id}"),
            ("post", "/v1/webhook-endpoints/{endpoint_id}/rotate-secret"),
            ("post", "/v1/webhook-endpoints/{endpoint_id}/test"),
            ("get", "/v1/webhook-endpoints/{endpoint_id}/stats"),
            ("post", "/v1/webhook-endpoints/{endpoint_id}/recover"),
            ("post", "/v1/webhook-endpoints/{endpoint_id}/replay"),
            ("post", "/v1/webhook-endpoints/{endpoint_id}/cancel-pending"),
            ("get", "/v1/webhook-deliveries"),
            ("get", "/v1/webhook-deliveries/{delivery_id}"),
            ("post", "/v1/webhook-deliveries/{delivery_id}/resend"),
            ("post", "/v1/webhook-deliveries/{delivery_id}/cancel"),
            ("get", "/v1/jobs/{job_id}/deliveries"),
            ("get", "/.well-known/webhooks-keys.json"),
            ("get", "/v1/operations"),
            ("get", "/v1/operations/{provider}/{operation}"),
            ("post", "/v1/keys"),
            ("get", "/v1/keys"),
            ("get", "/v1/keys/{key_id}"),
            ("patch", "/v1/keys/{key_id}"),
            ("post", "/v1/keys/{key_id}/revoke"),
            ("post", "/v1/callbacks/{token}"),
            ("post", "/v1/jobs/{job_id}/resolve"),
            ("get", "/metrics"),
            ("get", "/healthz"),
            ("get", "/readyz"),
            ("get", "/"),
            ("get", "/problems/{code}"),
        }

    def test_operation_ids_are_unique_and_tags_known(self, spec: dict[str, Any]) -> None:
        ids = [operation["operationId"] for _, _, operation in operations_of(spec)]
        assert len(set(ids)) == len(ids)
        tags = {tag["name"] for tag in spec["tags"]}
        assert {tag for _, _, each in operations_of(spec) for tag in each["tags"]} == tags

    def test_every_reference_resolves(self, spec: dict[str, Any]) -> None:
        schemas = spec["components"]["schemas"]
        names = {reference.removeprefix("#/components/schemas/") for reference in references(spec)}
        assert names <= set(schemas)
        assert {
            "Job",
            "Problem",
            "Input.kling.text2video",
            "JobSubmission.midjourney.imagine",
        } <= names

    def test_path_parameters_are_described(self, spec: dict[str, Any]) -> None:
        for _, path, operation in operations_of(spec):
            named = {
                each["name"] for each in operation.get("parameters", []) if each["in"] == "path"
            }
            assert named == set(re.findall(r"{(\w+)}", path))

    def test_security_is_declared(self, spec: dict[str, Any]) -> None:
        schemes = spec["components"]["securitySchemes"]
        assert {each["type"] for each in schemes.values()} == {"http", "apiKey"}
        for _, path, operation in operations_of(spec):
            keyed = path.startswith(("/v1", "/metrics")) and "/callbacks/" not in path
            assert bool(operation["security"]) == keyed
            assert ("401" in operation["responses"]) == keyed

    def test_callers_are_authenticated_before_anything_else(
        self, spec: dict[str, Any], over_sqlite: Served
    ) -> None:
        """Whatever else is wrong with the request, nothing of it is read."""
        for method, path, operation in operations_of(spec):
            if operation["security"]:
                answer = over_sqlite.http.request(
                    method, path, params={"colour": "red"}, content=b"no JSON"
                )
                assert answer.status_code == 401, (method, path)

    def test_response_examples_match_their_models(self, spec: dict[str, Any]) -> None:
        checked = 0
        for _, _, operation in operations_of(spec):
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    if "json" not in kind:
                        continue
                    model = model_of(content["schema"])
                    for example in examples(content):
                        model.model_validate(example)
                        if model is problems.Problem:
                            assert example["status"] == int(status)
                        checked += 1
        assert checked > 30

    def test_request_examples_are_accepted(self, spec: dict[str, Any], caller: Caller) -> None:
        content = spec["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
        assert {"kling.text2video", "midjourney.imagine"} <= set(content["examples"])
        offered = {
            (each["provider"], each["name"])
            for each in caller.get("/v1/operations").json()["data"]
            if each["offered"]
        }
        for example in examples(content):
            known = (example["provider"], example["operation"]) in offered
            if known and "parent" not in example:
                assert caller.post("/v1/jobs", example).status_code == 202

    def test_without_a_public_url_the_server_is_relative(self, spec: dict[str, Any]) -> None:
        assert spec["servers"] == [{"url": "/"}]


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        entries = cast(dict[str, object], value)
        if isinstance(reference := entries.get("$ref"), str):
            yield reference
        for name, entry in entries.items():
            if name not in {"example", "examples"}:
                yield from references(entry)
    if isinstance(value, list):
        for entry in cast(list[object], value):
            yield from references(entry)


def model_of(schema: Mapping[str, str]) -> type[BaseModel]:
    name = schema["$ref"].rpartition("/")[2]
    modules = (jobs, problems, about, callbacks, events, keys, operations, system, webhooks)
    return next(getattr(module, name) for module in modules if hasattr(module, name))


def examples(content: Mapping[str, Any]) -> Iterator[Any]:
    if "example" in content:
        yield content["example"]
    for example in content.get("examples", {}).values():
        yield example["value"]


class Page(HTMLParser):
    """The resources and links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), "no script anywhere"
            assert name != "style", "the policy forbids styles in attributes"
            if name == "id" and value:
                self.ids.add(value)
            if name == "href" and value:
                (self.links if tag == "a" else self.loaded).add(value)
            assert name != "src"


class TestManual:
    @pytest.fixture
    def page(self, over_sqlite: Served) -> Page:
        answer = over_sqlite.http.get("/docs")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
        return Page(answer.text)

    def test_it_loads_nothing_from_other_hosts(self, page: Page, over_sqlite: Served) -> None:
        assert page.loaded == {"/docs/style.css"}
        assert "script" not in page.tags
        style = over_sqlite.http.get("/docs/style.css")
        assert style.headers["content-type"].startswith("text/css")
        assert "url(" not in style.text
        assert "@import" not in style.text

    def test_it_has_all_endpoints_and_operations(
        self, page: Page, spec: dict[str, Any], over_sqlite: Served
    ) -> None:
        assert {operation["operationId"] for _, _, operation in operations_of(spec)} <= page.ids
        text = over_sqlite.http.get("/docs").text
        assert all(f"<code>{name}</code>" in text for name in providers.names())
        assert all(code in text for code in KINDS)

    def test_every_link_resolves(self, page: Page, over_sqlite: Served) -> None:
        for link in page.links:
            if link.startswith("#"):
                assert link == "#top" or link[1:] in page.ids, link
            else:
                assert over_sqlite.http.get(link).status_code == 200, link


class TestProblems:
    @pytest.mark.parametrize("code", KINDS)
    def test_each_problem_has_a_page(self, over_sqlite: Served, code: str) -> None:
        answer = over_sqlite.http.get(f"/problems/{code}")
        assert problems.ProblemKind.model_validate_json(answer.content).code == code
        page = over_sqlite.http.get(f"/problems/{code}", headers={"accept": "text/html,*/*;q=0.8"})
        assert page.headers["content-type"].startswith("text/html")
        assert answer.json()["title"] in page.text

    def test_an_unknown_problem_is_not_found(self, over_sqlite: Served) -> None:
        problem(over_sqlite.http.get("/problems/nonsense"), 404, "not_found")


def test_the_links_of_the_root_resolve(over_sqlite: Served) -> None:
    root = about.Service.model_validate_json(over_sqlite.http.get("/").content)
    for name, link in root.links.items():
        expected = 401 if link.startswith("/v1") else 200
        assert over_sqlite.http.get(link).status_code == expected, name


def test_patch_bodies_have_no_defaults(spec: dict[str, Any]) -> None:
    """A generated client would send the default and reset absent fields."""
    paths: dict[str, Any] = spec["paths"]
    patched = [path["patch"] for path in paths.values() if "patch" in path]
    assert len(patched) == 2
    for operation in patched:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        model = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert model["properties"], schema
        assert not any("default" in field for field in model["properties"].values()), schema
        assert "required" not in model, schema


def test_a_browser_gets_a_page(over_sqlite: Served) -> None:
    answer = over_sqlite.http.get("/", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")
    assert 'href="/docs"' in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
