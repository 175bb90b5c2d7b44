"""The documentation site, built as `make docs` builds it: strict, complete and without internet."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from generation.settings import Settings

ROOT = Path(__file__).parents[2]
#: Elements that make a browser load something.
LOADED = re.compile(r"<(?:script|img|iframe)[^>]*\ssrc=\"([^\"]+)|<link[^>]*\shref=\"([^\"]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def test_pages_load_nothing_from_the_internet(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        found = [one or two for one, two in LOADED.findall(page.read_text())]
        assert found
        assert not [url for url in found if url.startswith(("http:", "https:", "//"))], page


def test_the_settings_page_has_every_setting_with_a_meaning(site: Path) -> None:
    page = (site / "reference" / "settings.html").read_text()
    rows = re.findall(r"<tr>\s*<td><code>(GENQ_\w+)</code></td>(.*?)</tr>", page, re.DOTALL)
    assert [name for name, _ in rows] == [f"GENQ_{name.upper()}" for name in Settings.model_fields]
    assert not [name for name, cells in rows if cells.rstrip().endswith("<td></td>")]


def test_the_reference_has_every_endpoint_and_command(site: Path) -> None:
    endpoints = (site / "reference" / "api.html").read_text()
    commands = (site / "reference" / "commands.html").read_text()
    assert "POST /v1/jobs/batch" in endpoints
    assert "GET /v1/webhook-endpoints/{endpoint_id}" in endpoints
    assert "genq keys create" in commands
    assert "--idempotency-key" in commands


def test_the_search_index_has_english_and_chinese_pages(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    texts = {entry["location"]: entry["text"] for entry in index["docs"]}
    assert "幂等" in "".join(text for place, text in texts.items() if place.startswith("zh/"))
    assert any(place.startswith("reference/settings") for place in texts)
