"""schemathesis runs all its checks against the API and its OpenAPI document, over HTTP.

It gets one operation per provider instead of more than a hundred, whose schemas do not differ in
anything it checks. `tests/api/test_description.py` submits every example.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.api.serving import serving, settings_of

#: Time for all phases together, roughly.
SECONDS = 40
MOST_CASES = 25
#: Streams do not end by themselves; `tests/api/events/test_streams.py` reads them.
STREAMS = "stream"
#: Parameters that hold a response back for up to a minute. They are left out: a schema that allows
#: only short waits would call every other valid value a violation. Other tests send them.
WAITS = {"Prefer", "wait"}
#: All providers, so that every operation is offered.
STATIONS = """
[[stations]]
name = "everything"
url = "http://127.0.0.1:9"
keys = [{ name = "main", env = "PATH" }]
[stations.speaks]
midjourney = { dialect = "midjourney.proxy" }
kling = { dialect = "kling.v1" }
suno = { dialect = "suno.newapi" }
luma = { dialect = "luma.relay" }
flux = { dialect = "flux.relay" }
"""
#: Rules between fields, cursors and follow-ups are not in the schema: a valid request may still be
#: refused.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "429"]
"""


def shortened(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the document with one operation per provider, without parameters that wait."""
    body = spec["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    names: dict[str, str] = {}
    for name in body["examples"]:
        names.setdefault(name.partition(".")[0], name)
    kept = {f"#/components/schemas/JobSubmission.{name}" for name in (*names.values(), "action")}
    body["schema"]["oneOf"] = [each for each in body["schema"]["oneOf"] if each["$ref"] in kept]
    body["examples"] = {name: body["examples"][name] for name in names.values()}
    for methods in spec["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [
                parameter
                for parameter in operation.get("parameters", [])
                if parameter["name"] not in WAITS
            ]
    return spec


def test_schemathesis_reports_nothing(tmp_path: Path, sqlite_url: str, redis_url: str) -> None:
    (tmp_path / "stations.toml").write_text(STATIONS)
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    settings = settings_of(tmp_path, sqlite_url, redis_url)
    with serving(settings) as served:
        spec = shortened(served.http.get("/openapi.json").json())
        (tmp_path / "openapi.json").write_text(json.dumps(spec))
        program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
        assert program
        ended = subprocess.run(
            [
                program,
                "run",
                str(tmp_path / "openapi.json"),
                f"--url={served.http.base_url}",
                f"--header=X-API-Key: {served.admin().key}",
                "--checks=all",
                # An erased job is still there: what it cost and when is kept.
                "--exclude-checks=use_after_free",
                f"--max-examples={MOST_CASES}",
                f"--max-time={SECONDS}",
                f"--exclude-path-regex={STREAMS}",
                "--seed=1",
                "--generation-database=none",
                # Of two headers that carry a key, one may be somebody else's: a proxy's, say.
                "--generation-with-security-parameters=false",
                "--continue-on-failure",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=220,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
