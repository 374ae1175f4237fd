"""The house plan holds: layers, sizes, grants and migrations."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
from collections import Counter
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
CALLED_FROM_OUTSIDE = {
    "django": """
        _get_session_auth_hash add_arguments allow_migrate allow_relation db_check format_value
        get_available_name get_by_natural_key process_exception to_python to_url
    """,
    "rq": """
        handle_warm_shutdown_request check_for_suspension restore setup_work_horse_signals
        should_run_maintenance_tasks subscribe
    """,
    "the standard library": """
        handle_endtag handle_error handle_startendtag log_message path_stats shutdown_request
    """,
    "simple-salesforce": "convert_field format_field get_field",
}
"""Names that a library looks for, by library; a form's ``clean_FIELD`` goes without saying."""
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


def test_no_function_waits_for_a_caller() -> None:
    """What nothing but its own test calls is no part of the product."""
    outside = {name for names in CALLED_FROM_OUTSIDE.values() for name in names.split()}
    defined: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for path in sources():
        text = path.read_text(encoding="utf-8")
        named.update(re.findall(r"\w+", text))
        defined.update(
            node.name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
    for path in (ROOT / "templates").rglob("*.html"):
        named.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    lonely = {name for name, times in defined.items() if named[name] <= times}
    hooks = {name for name in lonely if name.startswith(("__", "clean_", "do_", "visit_"))}
    assert lonely - hooks == outside


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
