"""What was found about a release is of one composition: over the snapshot that it began from."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from core.migrations import RunSQLFile

FOUND = {
    "releasechange": ("release_change_once", ["type", "name"]),
    "knowntest": ("known_test_once", ["kind", "name"]),
    "dependency": (
        "dependency_once",
        ["team", "type", "name", "needs_team", "needs_type", "needs_name"],
    ),
}


def of_one_composition(model: str, name: str, fields: list[str]) -> list[Operation]:
    """Name the snapshot in a table, and in what there is once of it."""
    once = models.UniqueConstraint(
        fields=["release", "artefact", *fields, "base_snapshot"],
        name=name,
        nulls_distinct=False,
    )
    return [
        migrations.AddField(
            model_name=model,
            name="base_snapshot",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="environments.snapshot",
            ),
        ),
        migrations.RemoveConstraint(model_name=model, name=name),
        migrations.AddConstraint(model_name=model, constraint=once),
    ]


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0017_sight"),
        ("environments", "0010_snapshots"),
    ]

    operations: ClassVar = [
        *(
            operation
            for model, (name, fields) in FOUND.items()
            for operation in of_one_composition(model, name, fields)
        ),
        RunSQLFile("releases/0018_compositions.sql"),
    ]
