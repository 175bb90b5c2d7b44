"""The OpenAPI document as HTML pages, without scripts and without anything from other hosts."""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, cast

from api.http.problem_types import KINDS, Kind

Spec = Mapping[str, Any]

STYLE = (Path(__file__).parent / "pages" / "style.css").read_text(encoding="utf-8")
LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "maxLength": "characters at most:",
    "maxItems": "entries at most:",
    "maxProperties": "entries at most:",
    "pattern": "matches",
    "default": "default",
}
#: The texts of the front page, by the names of its links.
FRONT: Mapping[str, str] = {
    "docs": "all endpoints, fields and problems, with examples",
    "openapi": "the same as an OpenAPI 3.1 document",
    "jobs": "jobs: needs an API key",
    "operations": "available operations: needs an API key",
    "health": "whether this process answers",
    "readiness": "whether jobs are accepted and processed, and if not, why",
}


def manual_page(spec: Spec) -> str:
    """Return the page of the whole document."""
    schemas = spec["components"]["schemas"]
    sections = (tag_section(spec, tag, schemas) for tag in spec["tags"])
    body = f"""
<header><h1>genq <small>{text(spec["info"]["version"])}</small></h1>
{paragraphs(spec["info"]["description"])}
<p><a href="/openapi.json">OpenAPI 3.1 document</a></p></header>
{authentication(spec)}{"".join(sections)}
{inputs(spec["paths"]["/v1/jobs"]["post"]["requestBody"], schemas)}
{objects(schemas)}{problem_table()}"""
    return page("genq: API", body, navigation(spec))


def front_page(version: str, paths: Mapping[str, str]) -> str:
    """Return the page at `/`."""
    rows = "".join(
        f'<tr><td><a href="{text(path)}"><code>{text(path)}</code></a></td>'
        f"<td>{text(FRONT[name])}</td></tr>"
        for name, path in paths.items()
    )
    body = f"""
<header><h1>genq <small>{text(version)}</small></h1>
<p>A queue for paid image, video, music and text jobs. This is its API.</p></header>
<section><table>{rows}</table></section>"""
    return page("genq", body)


def problem_page(kind: Kind) -> str:
    """Return the page of one kind of problem."""
    body = f"""
<header><h1><span class="status">{kind.status}</span> {text(kind.title)}</h1></header>
<section><p><code>{kind.code}</code></p>{paragraphs(kind.advice)}
<p><a href="/docs#problems">All problems</a></p></section>"""
    return page(f"genq: {kind.title}", body)


def page(title: str, body: str, navigation: str = "") -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(title)}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>{navigation}<main>{body}
</main></body>
</html>
"""


def navigation(spec: Spec) -> str:
    groups = "".join(
        f"<h2>{text(tag['name'])}</h2><ul>"
        + "".join(
            f'<li><a href="#{operation["operationId"]}">{text(operation["summary"])}</a></li>'
            for _, _, operation in operations(spec, tag["name"])
        )
        + "</ul>"
        for tag in spec["tags"]
    )
    return f"""<nav><a class="brand" href="#top">genq</a>{groups}
<h2>Reference</h2><ul><li><a href="#inputs">Inputs of operations</a></li>
<li><a href="#objects">Objects</a></li><li><a href="#problems">Problems</a></li></ul></nav>"""


def authentication(spec: Spec) -> str:
    schemes = spec["components"]["securitySchemes"]
    url: str = spec["servers"][0]["url"]
    host = "http://127.0.0.1:8000" if url == "/" else url
    return f"""
<section id="authentication"><h2>API keys</h2>
<p>Send your key as {rich(schemes["bearer"]["description"])} or as
<code>{text(schemes["apiKey"]["name"])}: genq_…</code>. Everything under <code>/v1</code> needs
it.</p>
<pre>curl -H 'Authorization: Bearer genq_…' {text(host)}/v1/operations</pre></section>"""


def operations(spec: Spec, tag: str) -> Iterable[tuple[str, str, Spec]]:
    """Yield method, path and operation object of each endpoint with this tag."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method, path, operation


def tag_section(spec: Spec, tag: Spec, schemas: Spec) -> str:
    name = text(tag["name"])
    endpoints = "".join(endpoint(*each, schemas) for each in operations(spec, tag["name"]))
    return f"""
<section id="{name.lower()}"><h2>{name}</h2>{paragraphs(tag["description"])}{endpoints}</section>"""


def endpoint(method: str, path: str, operation: Spec, schemas: Spec) -> str:
    is_open = "" if operation["security"] else '<span class="open">no key</span>'
    parameters = "".join(
        row(each["name"], each["schema"], each.get("description", ""), each.get("required", False))
        for each in operation.get("parameters", [])
    )
    responses = (response(status, each) for status, each in operation["responses"].items())
    return f"""
<article id="{operation["operationId"]}">
<h3><span class="method {method}">{method.upper()}</span> <code>{text(path)}</code>{is_open}</h3>
<p class="summary">{text(operation["summary"])}</p>
{paragraphs(operation["description"])}
{f"<h4>Parameters</h4><table>{parameters}</table>" if parameters else ""}
{request_body(operation["requestBody"], schemas) if "requestBody" in operation else ""}
<h4>Responses</h4>{"".join(responses)}
</article>"""


def request_body(body: Spec, schemas: Spec) -> str:
    """Return the fields of a body (of those with several forms: the common ones) and an example."""
    content = body["content"]["application/json"]
    name, example = next(iter(content["examples"].items()))
    fields = (
        table(schemas["JobSubmission"])
        + '<p>The fields of <code>input</code>: <a href="#inputs">Inputs of operations</a>.</p>'
        if "oneOf" in content["schema"]
        else f"<p>{type_of(content['schema'])}</p>"
    )
    return f"<h4>Body</h4>{fields}{details(f'Example: {name}', example['value'])}"


def response(status: str, given: Spec) -> str:
    examples = "".join(
        details(name, value)
        for content in given.get("content", {}).values()
        for name, value in examples_of(content)
    )
    headers = "".join(
        f"<li><code>{text(name)}</code> {rich(header['description'])}</li>"
        for name, header in given.get("headers", {}).items()
    )
    return f"""<div class="answer">
<span class="status {"good" if status < "400" else "bad"}">{status}</span>
<div>{rich(given["description"])}{f"<ul>{headers}</ul>" if headers else ""}{examples}</div></div>"""


def examples_of(content: Spec) -> Iterable[tuple[str, object]]:
    if "example" in content:
        yield "Example", content["example"]
    for name, example in content.get("examples", {}).items():
        yield name, example["value"]


def inputs(body: Spec, schemas: Spec) -> str:
    """Return what each operation does, the fields of its `input`, and an example."""
    articles = "".join(
        f"<article><h3><code>{text(name)}</code></h3>{paragraphs(example['summary'])}"
        f"{table(schemas[f'Input.{name}'])}{details('Example', example['value'])}</article>"
        for name, example in body["content"]["application/json"]["examples"].items()
    )
    return f'<section id="inputs"><h2>Inputs of operations</h2>{articles}</section>'


def objects(schemas: Spec) -> str:
    tables = "".join(
        f'<article id="schema-{text(name)}"><h3><code>{text(name)}</code></h3>'
        f"{paragraphs(schema.get('description', ''))}{table(schema)}</article>"
        for name, schema in schemas.items()
        if not name.startswith(("JobSubmission.", "Input."))
    )
    return f'<section id="objects"><h2>Objects</h2>{tables}</section>'


def problem_table() -> str:
    rows = "".join(
        f'<tr><td><code><a href="/problems/{kind.code}">{kind.code}</a></code></td>'
        f"<td>{kind.status}</td><td>{rich(kind.advice)}</td></tr>"
        for kind in KINDS.values()
    )
    return f'<section id="problems"><h2>Problems</h2><table>{rows}</table></section>'


def table(schema: Spec) -> str:
    """Return the fields of an object, or the values of an enumeration."""
    if "enum" in schema:
        return f"<p>{', '.join(f'<code>{text(value)}</code>' for value in schema['enum'])}</p>"
    required = schema.get("required", [])
    rows = "".join(
        row(name, field, field.get("description", ""), name in required)
        for name, field in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>" if rows else ""


def row(name: str, schema: Spec, description: str, required: bool) -> str:
    mark = ' <span class="required">required</span>' if required else ""
    limits = ", ".join(
        f"{label} <code>{text(json.dumps(schema[keyword]))}</code>"
        for keyword, label in LIMITS.items()
        if schema.get(keyword) is not None
    )
    return (
        f"<tr><td><code>{text(name)}</code>{mark}</td><td class='type'>{type_of(schema)}</td>"
        f'<td>{rich(description)} <span class="limits">{limits}</span></td></tr>'
    )


def type_of(schema: Spec) -> str:
    """Return the type in a few words, linked to its table if it has one."""
    if "$ref" in schema:
        name = text(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#schema-{name}">{name.rpartition(".")[2]}</a>'
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(type_of(each) for each in schema[several])
    if "const" in schema or "enum" in schema:
        values = cast(list[object], schema.get("enum", [schema.get("const")]))
        return " | ".join(f"<code>{text(json.dumps(value))}</code>" for value in values)
    if "items" in schema:
        return f"array of {type_of(schema['items'])}"
    kind = schema.get("type", "any")
    return text(" or ".join(cast(list[str], kind)) if isinstance(kind, list) else kind)


def details(title: str, value: object) -> str:
    """Return a value to unfold: a text as it is, anything else as JSON."""
    shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<details><summary>{text(title)}</summary><pre>{text(shown)}</pre></details>"


def paragraphs(markup: str) -> str:
    return "".join(f"<p>{rich(each)}</p>" for each in markup.split("\n\n") if each)


def rich(markup: str) -> str:
    """Return HTML of a text in which `code` is marked."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(markup))


def text(value: object) -> str:
    return escape(str(value))
