"""Linters accept the OpenAPI document by their recommended rules."""

import json
import os
import subprocess
from pathlib import Path

from tests.api.serving import Served
from tests.services.node import node_with


def test_redocly_reports_nothing(over_sqlite: Served, tmp_path: Path) -> None:
    linter = node_with("@redocly/cli@2.77.0").tool("redocly")
    (tmp_path / "openapi.json").write_bytes(over_sqlite.http.get("/openapi.json").content)
    ended = subprocess.run(
        [str(linter), "lint", "openapi.json", "--max-problems=50"],
        cwd=tmp_path,
        # Without telemetry, and without asking for a later version.
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    output = ended.stdout + ended.stderr
    assert ended.returncode == 0, output
    assert "Your API description is valid" in output
    assert "warning" not in output.rpartition("validated in")[2], output


def test_spectral_reports_no_error(over_sqlite: Served, tmp_path: Path) -> None:
    """One kind of warning is expected: by its rules, API keys have no scopes, as in OpenAPI 3.0."""
    linter = node_with("@stoplight/spectral-cli@6.16.3").tool("spectral")
    (tmp_path / "openapi.json").write_bytes(over_sqlite.http.get("/openapi.json").content)
    (tmp_path / "rules.yaml").write_text('extends: ["spectral:oas"]\n')
    command = [str(linter), "lint", "openapi.json", "--ruleset=rules.yaml", "--format=json"]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=220, check=False
    )
    found = json.loads(ended.stdout)
    expected = {"oas3-operation-security-defined", "info-contact"}
    assert not [each for each in found if each["code"] not in expected], ended.stdout
    assert ended.returncode == 0, ended.stdout + ended.stderr
