"""The reference of the HTTP API, made from its OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.site.markdown import code, table

INTRODUCTION = """# API reference

Made from the OpenAPI document, which a running genq serves at `/openapi.json`, and as a page at
`/docs`. [Ordering](../api.md) explains how to use it.

"""
METHODS = ("get", "post", "put", "patch", "delete")


def api_page(document: Mapping[str, Any]) -> str:
    """The page, in Markdown: a section for each operation of the document, by tag."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                tag = (operation.get("tags") or ["Other"])[0]
                text = section(document, method, path, operation)
                by_tag.setdefault(tag, []).append(text)
    return INTRODUCTION + "\n".join(
        f"## {tag}\n\n" + "\n".join(sections) for tag, sections in by_tag.items()
    )


def section(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> str:
    parts = [
        f"### {method.upper()} {path}\n",
        operation.get("summary", "").strip() + "\n",
        operation.get("description", "").strip() + "\n",
        table(["parameter", "in", "meaning"], parameter_rows(document, operation)),
        table(["status", "meaning"], response_rows(document, operation)),
    ]
    return "\n".join(part for part in parts if part.strip())


def parameter_rows(
    document: Mapping[str, Any], operation: Mapping[str, Any]
) -> Iterator[list[str]]:
    for each in operation.get("parameters", ()):
        parameter = resolved(document, each)
        yield [code(parameter["name"]), parameter["in"], parameter.get("description", "")]


def response_rows(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[list[str]]:
    for status, each in operation["responses"].items():
        yield [code(str(status)), resolved(document, each).get("description", "")]


def resolved(document: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that a `$ref` into the same document points at, or the object itself."""
    reference = value.get("$ref")
    if reference is None:
        return value
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    return found
