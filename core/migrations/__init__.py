"""Plain SQL in migrations.

Triggers that carry safety are plain SQL, one file per concern in ``<app>/sql/``. A migration names
the file, so the file must not change once released: a later version gets a new file.
"""

from __future__ import annotations

from importlib import resources

from django.db import migrations


class RunSQLFile(migrations.RunSQL):
    """Run ``<package>/sql/<name>``; RunSQLFile("governance/0001_guards.sql") names both."""

    def __init__(self, name: str) -> None:
        self.name = name
        package, _, file_name = name.partition("/")
        text = resources.files(package).joinpath("sql", file_name).read_text(encoding="utf-8")
        # A list with one statement keeps Django from splitting function bodies at semicolons.
        super().__init__(sql=[text], reverse_sql=None)

    def deconstruct(self) -> tuple[str, list[str], dict[str, str]]:
        """Write the operation back as it stands in the migration."""
        return self.__class__.__qualname__, [self.name], {}

    def describe(self) -> str:
        """Name the file in Django's progress output."""
        return f"Run {self.name}"
