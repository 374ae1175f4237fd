"""The chain of the history, its checkpoints, and the watch over changes past the application."""

from __future__ import annotations

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from core.migrations import RunSQLFile


def _to_event(name: str, **options: object) -> models.OneToOneField:
    return models.OneToOneField(
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to="governance.auditevent",
        **options,
    )


def _read(function: str, name: str, output: models.Field) -> models.GeneratedField:
    expression = models.Func("body", models.Value(name), function=function)
    return models.GeneratedField(db_persist=True, expression=expression, output_field=output)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0002_roles")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditCommit",
            fields=[("tx", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("previous", models.BinaryField(unique=True)),
                ("hash", models.BinaryField()),
                ("event", _to_event("link")),
            ],
        ),
        migrations.CreateModel(
            name="AuditDetail",
            fields=[
                ("event", _to_event("detail", primary_key=True, serialize=False)),
                ("key", models.BinaryField()),
                ("body", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("body", models.TextField()),
                ("digest", models.CharField(max_length=71)),
                ("signature", models.BinaryField()),
                ("key_id", models.CharField(max_length=60)),
                (
                    "position",
                    _read("gatehouse_json_bigint", "position", models.BigIntegerField(null=True)),
                ),
                ("at", _read("gatehouse_json_moment", "at", models.DateTimeField(null=True))),
            ],
            options={"ordering": ["-number"]},
        ),
        migrations.CreateModel(
            name="CheckpointCopy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("place", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                ("problem", models.TextField(blank=True)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="copies",
                        to="governance.checkpoint",
                    ),
                ),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField()),
                ("events", models.BigIntegerField()),
                ("checkpoints", models.IntegerField()),
                ("problem", models.TextField(blank=True)),
                ("event_id", models.BigIntegerField(null=True)),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="GuardManifest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("body", models.TextField()),
                ("digest", models.CharField(max_length=71)),
                ("written_at", models.DateTimeField()),
            ],
            options={"ordering": ["-id"]},
        ),
        RunSQLFile("governance/0003_chain.sql"),
        RunSQLFile("governance/0003_watch.sql"),
    ]
