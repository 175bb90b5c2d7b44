"""Hooks of MkDocs: they add the generated pages to those of `docs/`.

`mkdocs.yml` names this file. MkDocs loads it by its path, so it imports by full names only.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from api.app import create_app
from generation.settings import Settings
from ops.site.api_page import api_page
from ops.site.cli_page import cli_page
from ops.site.settings_page import settings_page

ROOT = Path(__file__).parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the reference pages, the changelog and the guide for contributors."""
    pages = {
        "reference/settings.md": settings_page(),
        "reference/commands.md": cli_page(),
        "reference/api.md": api_page(create_app(Settings()).openapi()),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files
