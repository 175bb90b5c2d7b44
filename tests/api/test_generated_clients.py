"""Clients that common generators make of the OpenAPI document compile, and have every operation."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.serving import Served
from tests.services.node import Node, node_with
from tests.services.python import python_path_of

PYTHON_GENERATOR = "openapi-python-client==0.29.1"
NODE_GENERATORS = (
    "@hey-api/openapi-ts@0.99.0",
    "openapi-typescript@7.13.0",
    "typescript@5.9.3",
)
BUNDLER = "@redocly/cli@2.77.0"
#: Imports every module of the generated package, then submits a job by its function.
USE = """
import importlib, pkgutil, sys
import generated

for module in pkgutil.walk_packages(generated.__path__, "generated."):
    importlib.import_module(module.name)

from generated import AuthenticatedClient
from generated.api.jobs import create_job, get_job
from generated.models import InputKlingText2Video, JobSubmissionKlingText2Video

url, key = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)
body = JobSubmissionKlingText2Video(
    provider="kling", operation="text2video", input_=InputKlingText2Video(prompt="a paper boat")
)
job = create_job.sync(client=client, body=body)
print(get_job.sync(job.id, client=client).state)
"""


@pytest.fixture
def document(over_sqlite: Served, tmp_path: Path) -> dict[str, Any]:
    """The document, which is also in `tmp_path/openapi.json`."""
    content = over_sqlite.http.get("/openapi.json").content
    (tmp_path / "openapi.json").write_bytes(content)
    return json.loads(content)


def operation_ids(document: dict[str, Any]) -> list[str]:
    return [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]


def run(command: list[str], folder: Path, **environment: str) -> str:
    ended = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, (ended.stdout + ended.stderr)[-10_000:]
    return ended.stdout + ended.stderr


def compile_typescript(node: Node, file: Path) -> None:
    options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"]
    modules = ["--module", "esnext", "--moduleResolution", "bundler"]
    run([str(node.tool("tsc")), *options, *modules, str(file)], file.parent)


def test_openapi_python_client(
    over_sqlite: Served, document: dict[str, Any], tmp_path: Path
) -> None:
    path = str(python_path_of(PYTHON_GENERATOR))
    output = run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", "openapi.json", "--meta", "none", "--output-path", "generated"),
            "--fail-on-warning",
        ],
        tmp_path,
        PYTHONPATH=path,
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    )
    assert "WARNING" not in output.upper(), output
    modules = {file.stem for file in (tmp_path / "generated" / "api").rglob("*.py")}
    assert modules >= {snake_case(each) for each in operation_ids(document)}
    run([sys.executable, "-m", "compileall", "-q", "generated"], tmp_path)
    caller = over_sqlite.caller()
    arguments = [str(over_sqlite.http.base_url), caller.key]
    assert run([sys.executable, "-c", USE, *arguments], tmp_path).strip() == "queued"


def snake_case(operation_id: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in operation_id)


def test_hey_api(document: dict[str, Any], tmp_path: Path) -> None:
    node = node_with(*NODE_GENERATORS)
    run(
        [str(node.tool("openapi-ts")), "--input", "openapi.json", "--output", "client"],
        tmp_path,
        DO_NOT_TRACK="1",
    )
    code = (tmp_path / "client" / "sdk.gen.ts").read_text()
    for operation_id in operation_ids(document):
        assert f"export const {operation_id} =" in code
    compile_typescript(node, tmp_path / "client" / "index.ts")


def test_openapi_typescript(document: dict[str, Any], tmp_path: Path) -> None:
    node = node_with(*NODE_GENERATORS)
    run([str(node.tool("openapi-typescript")), "openapi.json", "--output", "types.ts"], tmp_path)
    code = (tmp_path / "types.ts").read_text()
    for operation_id in operation_ids(document):
        assert f"    {operation_id}: {{" in code
    compile_typescript(node, tmp_path / "types.ts")


def test_a_bundler_keeps_every_operation(document: dict[str, Any], tmp_path: Path) -> None:
    """Bundlers resolve every reference, as openapi-generator does before it generates."""
    bundler = node_with(BUNDLER).tool("redocly")
    run(
        [str(bundler), "bundle", "openapi.json", "--dereferenced", "--output", "bundle.json"],
        tmp_path,
        REDOCLY_TELEMETRY="off",
        REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
    )
    bundle = json.loads((tmp_path / "bundle.json").read_text())
    assert operation_ids(bundle) == operation_ids(document)
