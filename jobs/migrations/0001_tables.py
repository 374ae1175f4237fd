"""The table of work and the guard of its fence."""

from django.db import migrations, models

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0001_functions")]

    operations = [
        migrations.CreateModel(
            name="Work",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=60)),
                ("subject_id", models.BigIntegerField()),
                ("queue", models.CharField(max_length=20)),
                ("wake_at", models.DateTimeField(null=True)),
                ("queued_until", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("fence", models.BigIntegerField(db_default=0)),
                ("tries", models.IntegerField(db_default=0)),
                ("last_error", models.TextField(db_default="")),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("wake_at__isnull", False)),
                        fields=["wake_at"],
                        name="work_wants",
                    ),
                    models.Index(
                        condition=models.Q(("lease_until__isnull", False)),
                        fields=["lease_until"],
                        name="work_leased",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "subject_id"), name="work_once_per_subject"
                    )
                ],
            },
        ),
        RunSQLFile("jobs/0001_fence.sql"),
    ]
