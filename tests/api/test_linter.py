"""The API's description before somebody else's linter: Redocly's, by its recommended rules."""

import os
import subprocess
from pathlib import Path

from tests.api.serving import Served
from tests.services.node import node_with


def test_redocly_has_nothing_to_complain_about(over_sqlite: Served, tmp_path: Path) -> None:
    linter = node_with("@redocly/cli@2.77.0").tool("redocly")
    (tmp_path / "openapi.json").write_bytes(over_sqlite.http.get("/openapi.json").content)
    ended = subprocess.run(
        [str(linter), "lint", "openapi.json", "--max-problems=50"],
        cwd=tmp_path,
        # It tells nobody of us, and asks nobody for a later version.
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    words = ended.stdout + ended.stderr
    assert ended.returncode == 0, words
    assert "Your API description is valid" in words
    assert "warning" not in words.rpartition("validated in")[2], words
