"""
The API's description as a page for people: one document and one style sheet, no script, nothing
fetched from elsewhere.
"""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, cast

from api.docs.openapi_parts import Spec
from api.http.problem_types import KINDS, Kind

_CODE = re.compile(r"`([^`]+)`")


def details(title: str, value: object) -> str:
    """A value to unfold: JSON, or a text as it is."""
    shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<details><summary>{text(title)}</summary><pre>{text(shown)}</pre></details>"


def paragraphs(words: str) -> str:
    return "".join(f"<p>{rich(each)}</p>" for each in words.split("\n\n") if each)


def rich(words: str) -> str:
    """Words with `code` in them."""
    return _CODE.sub(r"<code>\1</code>", text(words))


def text(words: object) -> str:
    return escape(str(words))


_REF = "#/components/schemas/"


def table(schema: Spec) -> str:
    """The fields of an object, or the values of an enumeration."""
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
    return (
        f"<tr><td><code>{text(name)}</code>{mark}</td><td class='type'>{kind_of(schema)}</td>"
        f"<td>{rich(description)}{limits(schema)}</td></tr>"
    )


def kind_of(schema: Mapping[str, Any]) -> str:
    """The type in a few words, linked where it has a table of its own."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_REF)
        return f'<a href="#schema-{text(name)}">{text(name.rpartition(".")[2])}</a>'
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(kind_of(each) for each in cast(list[Spec], schema[several]))
    if "const" in schema or "enum" in schema:
        values = cast(list[object], schema.get("enum", [schema.get("const")]))
        return " | ".join(f"<code>{text(json.dumps(value))}</code>" for value in values)
    if "items" in schema:
        return f"array of {kind_of(cast(Spec, schema['items']))}"
    kind = schema.get("type", "any")
    return text(" or ".join(cast(list[str], kind)) if isinstance(kind, list) else str(kind))


LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "maxLength": "at most this many characters:",
    "maxItems": "at most this many:",
    "maxProperties": "at most this many:",
    "pattern": "matches",
    "default": "otherwise",
}


def limits(schema: Mapping[str, Any]) -> str:
    """What else a value must keep to."""
    parts = [
        f"{words} <code>{text(json.dumps(schema[name]))}</code>"
        for name, words in LIMITS.items()
        if schema.get(name) is not None
    ]
    return f' <span class="limits">{", ".join(parts)}</span>' if parts else ""


STYLE = (Path(__file__).parent / "pages" / "style.css").read_text(encoding="utf-8")


#: What is at each address of the front page.
FRONT: Mapping[str, str] = {
    "docs": "every endpoint, field and problem, with examples",
    "openapi": "the same for programs, as OpenAPI 3.1",
    "jobs": "jobs: needs an API key",
    "operations": "what can be ordered: needs an API key",
    "health": "whether this process answers",
    "readiness": "whether jobs can be taken and worked on, and if not, why",
}


def manual_page(spec: Spec) -> str:
    """The whole manual."""
    schemas = spec["components"]["schemas"]
    sections = "".join(section(spec, tag, schemas) for tag in spec["tags"])
    body = f"""
<header>
  <h1>genq <small>{text(spec["info"]["version"])}</small></h1>
  {paragraphs(spec["info"]["description"])}
  <p><a href="/openapi.json">OpenAPI 3.1 description</a></p>
</header>
{authentication(spec)}
{sections}
{orders(spec["paths"]["/v1/jobs"]["post"]["requestBody"], schemas)}
{objects(schemas)}
{problems()}"""
    return frame("genq: API", body, navigation(spec))


def front_page(version: str, paths: Mapping[str, str]) -> str:
    """Where somebody begins who opens the API's address in a browser."""
    rows = "".join(
        f'<tr><td><a href="{text(path)}"><code>{text(path)}</code></a></td>'
        f"<td>{text(FRONT[name])}</td></tr>"
        for name, path in paths.items()
    )
    body = f"""
<header><h1>genq <small>{text(version)}</small></h1>
<p>A queue for paid image, video, music and text generation. This is its API.</p></header>
<section><table>{rows}</table></section>"""
    return frame("genq", body)


def problem_page(kind: Kind) -> str:
    """What one kind of problem means."""
    body = f"""
<header><h1><span class="status">{kind.status}</span> {text(kind.title)}</h1></header>
<section><p><code>{kind.code}</code></p>{paragraphs(kind.advice)}
<p><a href="/docs#problems">All problems</a></p></section>"""
    return frame(f"genq: {kind.title}", body)


def frame(title: str, body: str, side: str = "") -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(title)}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>{side}<main>{body}
</main></body>
</html>
"""


def navigation(spec: Spec) -> str:
    def links(tag: str) -> str:
        return "".join(
            f'<li><a href="#{operation["operationId"]}">{text(operation["summary"])}</a></li>'
            for _, _, operation in operations(spec, tag)
        )

    groups = "".join(
        f"<h2>{text(tag['name'])}</h2><ul>{links(tag['name'])}</ul>" for tag in spec["tags"]
    )
    return f"""<nav><a class="brand" href="#top">genq</a>{groups}
<h2>Reference</h2><ul><li><a href="#inputs">What can be ordered</a></li>
<li><a href="#objects">Objects</a></li><li><a href="#problems">Problems</a></li></ul></nav>"""


def authentication(spec: Spec) -> str:
    schemes = spec["components"]["securitySchemes"]
    return f"""
<section id="authentication"><h2>API keys</h2>
<p>Send your key as {rich(schemes["bearer"]["description"])} or as
<code>{text(schemes["apiKey"]["name"])}: genq_…</code>. Everything under <code>/v1</code> needs
it.</p>
<pre>curl -H 'Authorization: Bearer genq_…' {text(host(spec))}/v1/operations</pre></section>"""


def host(spec: Spec) -> str:
    url: str = spec["servers"][0]["url"]
    return url if url != "/" else "http://127.0.0.1:8000"


def operations(spec: Spec, tag: str) -> Iterable[tuple[str, str, Spec]]:
    """Method, path and operation object of each endpoint with this tag."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method, path, operation


def section(spec: Spec, tag: Spec, schemas: Spec) -> str:
    found = "".join(
        endpoint(method, path, operation, schemas)
        for method, path, operation in operations(spec, tag["name"])
    )
    name = text(tag["name"])
    return f"""
<section id="{name.lower()}"><h2>{name}</h2>{paragraphs(tag["description"])}{found}</section>"""


def endpoint(method: str, path: str, operation: Spec, schemas: Spec) -> str:
    lock = "" if operation["security"] else '<span class="open">no key</span>'
    body = operation.get("requestBody")
    answers = "".join(answer(status, each) for status, each in operation["responses"].items())
    return f"""
<article id="{operation["operationId"]}">
<h3><span class="method {method}">{method.upper()}</span> <code>{text(path)}</code>{lock}</h3>
<p class="summary">{text(operation["summary"])}</p>
{paragraphs(operation["description"])}
{parameters(operation.get("parameters", []))}
{order(body, schemas) if body else ""}
<h4>Answers</h4>{answers}
</article>"""


def parameters(given: list[Spec]) -> str:
    if not given:
        return ""
    rows = "".join(
        row(each["name"], each["schema"], each["description"], each.get("required", False))
        for each in given
    )
    return f"<h4>Parameters</h4><table>{rows}</table>"


def order(body: Spec, schemas: Spec) -> str:
    """A body: the fields that all its forms have, and one of its examples."""
    (name, example), *_ = examples_of(body).items()
    if "oneOf" not in body["content"]["application/json"]["schema"]:
        return f"<h4>Body</h4>{details(f'Example: {name}', example['value'])}"
    return f"""<h4>Body</h4>{table(schemas["Order"])}
<p>What <code>input</code> may be: <a href="#inputs">What can be ordered</a>.</p>
{details(f"Example: {name}", example["value"])}"""


def examples_of(body: Spec) -> dict[str, Spec]:
    return body["content"]["application/json"]["examples"]


def answer(status: str, given: Spec) -> str:
    shown: list[str] = []
    for content in given.get("content", {}).values():
        if "example" in content:
            shown.append(details("Example", content["example"]))
        for name, example in content.get("examples", {}).items():
            shown.append(details(name, example["value"]))
    headers = "".join(
        f"<li><code>{text(name)}</code> {rich(header['description'])}</li>"
        for name, header in given.get("headers", {}).items()
    )
    listed = f"<ul>{headers}</ul>" if headers else ""
    kind = "good" if status < "400" else "bad"
    return f"""<div class="answer"><span class="status {kind}">{status}</span>
<div>{rich(given["description"])}{listed}{"".join(shown)}</div></div>"""


def orders(body: Spec, schemas: Spec) -> str:
    """Every operation: what it makes, what its `input` may be, and an example."""
    articles = "".join(
        f"<article><h3><code>{text(name)}</code></h3>{paragraphs(example['summary'])}"
        f"{table(schemas[f'Input.{name}'])}{details('Example', example['value'])}</article>"
        for name, example in examples_of(body).items()
    )
    return f"""
<section id="inputs"><h2>What can be ordered</h2><p>The fields of <code>input</code>.</p>
{articles}</section>"""


def objects(schemas: Spec) -> str:
    tables = "".join(
        f'<article id="schema-{text(name)}"><h3><code>{text(name)}</code></h3>'
        f"{paragraphs(schema.get('description', ''))}{table(schema)}</article>"
        for name, schema in schemas.items()
        if not name.startswith(("Order.", "Input."))
    )
    return f'<section id="objects"><h2>Objects</h2>{tables}</section>'


def problems() -> str:
    rows = "".join(
        f'<tr><td><code><a href="/problems/{kind.code}">{kind.code}</a></code></td>'
        f"<td>{kind.status}</td><td>{rich(kind.advice)}</td></tr>"
        for kind in KINDS.values()
    )
    return f'<section id="problems"><h2>Problems</h2><table>{rows}</table></section>'
