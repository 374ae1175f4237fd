"""The tables of governance and their guards."""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import core.clock
import core.fields
import governance.models.people
import governance.states
from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0001_functions")]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("full_name", models.CharField(max_length=150)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "zone",
                    models.CharField(
                        default="UTC",
                        max_length=64,
                        validators=[governance.models.people.validate_zone],
                    ),
                ),
                (
                    "kind",
                    models.CharField(default=governance.states.PersonKind["PERSON"], max_length=10),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ApprovalRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_id", models.BigIntegerField()),
                ("digest", core.fields.DigestField()),
                (
                    "state",
                    models.CharField(
                        default=governance.states.ApprovalState["OPEN"], max_length=12
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.TextField(blank=True)),
                ("label", models.CharField(max_length=200)),
                ("url", models.CharField(max_length=300)),
                (
                    "related",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("body", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=models.Func(function="clock_timestamp"), editable=False
                    ),
                ),
                (
                    "event",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body", models.Value("event"), function="gatehouse_json_text"
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
                (
                    "sentence",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body", models.Value("sentence"), function="gatehouse_json_text"
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
                (
                    "subject_kind",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body",
                            models.Value("subject"),
                            models.Value("kind"),
                            function="gatehouse_json_text",
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
                (
                    "subject_ref",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body",
                            models.Value("subject"),
                            models.Value("ref"),
                            function="gatehouse_json_text",
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
                (
                    "actor_kind",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body",
                            models.Value("actor"),
                            models.Value("kind"),
                            function="gatehouse_json_text",
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
                (
                    "actor_name",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body",
                            models.Value("actor"),
                            models.Value("name"),
                            function="gatehouse_json_text",
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
                (
                    "actor_id",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body",
                            models.Value("actor"),
                            models.Value("id"),
                            function="gatehouse_json_bigint",
                        ),
                        output_field=models.BigIntegerField(null=True),
                    ),
                ),
                (
                    "team",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body", models.Value("team"), function="gatehouse_json_text"
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
                (
                    "at",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body", models.Value("at"), function="gatehouse_json_moment"
                        ),
                        output_field=models.DateTimeField(null=True),
                    ),
                ),
                (
                    "related",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "body", models.Value("related"), function="gatehouse_json_texts"
                        ),
                        output_field=django.contrib.postgres.fields.ArrayField(
                            base_field=models.TextField(), size=None
                        ),
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("digest", core.fields.DigestField()),
                ("verdict", models.CharField(max_length=8)),
                ("comment", models.TextField(blank=True)),
                ("role", models.CharField(max_length=20)),
                ("decided_at", models.DateTimeField()),
                ("auth_strength", models.CharField(max_length=20)),
                ("signature", models.BinaryField(null=True)),
                ("signing_key", models.TextField(null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="GitIdentity",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("email", models.EmailField(max_length=254)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("purpose", models.CharField(max_length=10)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("role", models.CharField(max_length=20)),
                ("granted_at", models.DateTimeField(default=core.clock.now)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("recipient_email", models.EmailField(max_length=254)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField()),
                (
                    "related",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        default=governance.states.NoticeState["PENDING"], max_length=10
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="PolicyProposal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("body", models.JSONField()),
                ("reason", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        default=governance.states.ProposalState["OPEN"], max_length=12
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("number", models.PositiveIntegerField()),
                ("body", models.JSONField()),
                ("digest", core.fields.DigestField()),
                ("published_at", models.DateTimeField(default=core.clock.now)),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="SignInFailure",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("account", models.CharField(max_length=254)),
                ("address", models.CharField(max_length=45)),
                ("failed_at", models.DateTimeField(default=core.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=80)),
                ("owns_production", models.BooleanField(default=False)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-owns_production", "name"],
            },
        ),
        migrations.CreateModel(
            name="UnmappedIdentity",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("email", models.CharField(max_length=254)),
                ("name", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Password",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="stored_password",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("hash", models.CharField(max_length=256)),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="user_email_is_lower_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["person", "service"])), name="user_kind_is_known"
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="requester",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["-at", "-id"], name="audit_by_time"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["event", "-at", "-id"], name="audit_by_event"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["actor_id", "-at", "-id"], name="audit_by_actor"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["related"], name="audit_by_reference"
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("sentence"), name="gin_trgm_ops"
                ),
                name="audit_by_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("actor_kind__isnull", False),
                    ("actor_name__isnull", False),
                    ("at__isnull", False),
                    ("event__isnull", False),
                    ("sentence__isnull", False),
                    ("subject_ref__isnull", False),
                ),
                name="audit_event_is_whole",
            ),
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="withdrawal",
                        serialize=False,
                        to="governance.decision",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("reason", models.TextField(blank=True)),
            ],
        ),
        migrations.AddField(
            model_name="decision",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="governance.approvalrequest",
            ),
        ),
        migrations.AddField(
            model_name="exclusion",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="exclusions",
                to="governance.approvalrequest",
            ),
        ),
        migrations.AddField(
            model_name="exclusion",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="gitidentity",
            name="mapped_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="gitidentity",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="git_identities",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="granted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="revoked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["failed", "pending", "sent"])),
                name="notice_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="policy_name_is_unique"
            ),
        ),
        migrations.AddField(
            model_name="policyproposal",
            name="closed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="policyproposal",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proposals",
                to="governance.policy",
            ),
        ),
        migrations.AddField(
            model_name="policyproposal",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="confirmed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="governance.policy",
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="policyproposal",
            name="based_on",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="governance.policyversion",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="policy_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requests",
                to="governance.policyversion",
            ),
        ),
        migrations.AddIndex(
            model_name="signinfailure",
            index=models.Index(fields=["account", "failed_at"], name="sign_in_by_account"),
        ),
        migrations.AddIndex(
            model_name="signinfailure",
            index=models.Index(fields=["address", "failed_at"], name="sign_in_by_address"),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="team_name_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                condition=models.Q(("owns_production", True)),
                fields=("owns_production",),
                name="team_one_owns_production",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("owns_production", False), ("retired_at", None), _connector="OR"
                ),
                name="team_owner_of_production_stays",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="governance.team",
            ),
        ),
        migrations.AddField(
            model_name="unmappedidentity",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="unmapped",
                to="governance.approvalrequest",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                fields=("request", "person"), name="decision_one_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ["approve", "reject"])),
                name="decision_verdict_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "admin",
                            "auditor",
                            "board_member",
                            "developer",
                            "release_manager",
                            "team_lead",
                        ],
                    )
                ),
                name="decision_role_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="exclusion",
            constraint=models.UniqueConstraint(
                fields=("request", "user"), name="exclusion_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="gitidentity",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("email",),
                name="git_identity_live_is_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="gitidentity",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="git_identity_email_is_lower_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("purpose__in", ["founding", "joining"])),
                name="invitation_purpose_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.UniqueConstraint(
                fields=("policy", "number"), name="policy_version_number_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="policy_version_starts_at_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("proposed_by", models.F("confirmed_by")), _negated=True),
                name="policy_version_has_two_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["confirmed", "open", "withdrawn"])),
                name="policy_proposal_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyproposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("policy",),
                name="policy_proposal_one_is_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "expired",
                            "open",
                            "rejected",
                            "satisfied",
                            "superseded",
                            "used",
                            "withdrawn",
                        ],
                    )
                ),
                name="approval_request_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["open", "satisfied"])),
                fields=("subject_kind", "subject_id"),
                name="approval_request_one_is_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("opened_at"))),
                name="approval_request_has_a_life",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("state__in", ["open", "satisfied"])),
                    models.Q(
                        models.Q(("state__in", ["open", "satisfied"]), _negated=True),
                        ("closed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="approval_request_closed_has_time",
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                condition=models.Q(("revoked_at", None)),
                fields=["team", "role"],
                name="membership_live_by_team",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None)),
                fields=("user", "team", "role"),
                name="membership_live_is_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "admin",
                            "auditor",
                            "board_member",
                            "developer",
                            "release_manager",
                            "team_lead",
                        ],
                    )
                ),
                name="membership_role_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="unmappedidentity",
            constraint=models.UniqueConstraint(
                fields=("request", "email"), name="unmapped_identity_is_unique"
            ),
        ),
        RunSQLFile("governance/0001_guards.sql"),
    ]
