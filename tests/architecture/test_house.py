"""The house plan holds: layers, sizes, grants and migrations."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from core import grants

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = (
    "api",
    "config",
    "core",
    "dashboard",
    "demo",
    "environments",
    "governance",
    "jobs",
    "metadata",
    "releases",
    "salesforce",
    "script",
    "simulator",
)
MAX_FILE = 400
MAX_FUNCTION = 50


def sources() -> list[Path]:
    """Every Python file of the product; migrations are generated and left out."""
    found = [path for name in PRODUCT for path in (ROOT / name).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def test_imports_keep_the_layers() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    """Counted are the statements of a function, without its signature and docstring."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
            words = ast.get_docstring(node, clean=False) or ""
            size -= words.count("\n") + 1 if words else 0
            assert size <= MAX_FUNCTION, f"{node.name} has {size} lines"


def test_every_table_says_who_may_write_it() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    declared = set(grants.declared())
    assert tables - declared == set()
    assert declared - tables == {"django_migrations"}


@pytest.mark.django_db(databases=["default", "owner"])
def test_migrations_say_what_the_models_say() -> None:
    told = io.StringIO()
    call_command("makemigrations", "--dry-run", stdout=told)
    assert told.getvalue().strip() == "No changes detected"
