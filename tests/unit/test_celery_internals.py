"""Celery's and kombu's internals are used in the modules named `celery_…` only.

An upgrade of Celery then needs a look at these modules and at no others (docs/decisions/0005).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("api", "generation", "worker", "ops/cli", "ops/local", "ops/stack")
#: Submodules that Celery's and kombu's documentation tells users to import from.
PUBLIC = {"celery.bootsteps", "celery.signals", "kombu.entity", "kombu.exceptions"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def is_internal(module: str) -> bool:
    return module.startswith(("celery.", "kombu.")) and module not in PUBLIC


def test_only_celery_modules_import_internals_of_celery() -> None:
    files = [file for folder in PRODUCT for file in (ROOT / folder).rglob("*.py")]
    users = {file.name for file in files if any(map(is_internal, imported(file)))}
    assert users == {
        "celery_consumer.py",
        "celery_messages.py",
        "celery_pool.py",
        "celery_request.py",
    }
