"""Where a team's work comes from: its Git repository, commits, refs and work items."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from core import clock
from core.models import Entity


class Repository(Entity):
    """A team's Git repository, mirrored by build workers only.

    The webhook secret is derived from the installation's key, ``uuid`` and
    ``webhook_generation``; it is stored nowhere.
    """

    class Access(models.TextChoices):
        NONE = "none", "no credential"
        TOKEN = "https_token", "access token over https"
        SSH_KEY = "ssh_key", "deploy key over ssh"

    class BuildScope(models.TextChoices):
        WHOLE = "whole", "Whole package"
        DELTA = "delta", "Only what the CI org does not hold yet"

    class Health(models.TextChoices):
        NEW = "new", "not fetched yet"
        OK = "ok", "fetched"
        FAILED = "failed", "fetch failed"

    team = models.OneToOneField("governance.Team", models.PROTECT, related_name="repository")
    url = models.CharField(max_length=500)
    main_branch = models.CharField(max_length=200, default="main")
    build_scope = models.CharField(max_length=5, choices=BuildScope, default=BuildScope.WHOLE)
    access = models.CharField(max_length=20, choices=Access, default=Access.NONE)
    credential_key_id = models.CharField(max_length=64, blank=True, default="")
    credential_ciphertext = models.BinaryField(null=True)
    credential_set_at = models.DateTimeField(null=True)
    webhook_generation = models.PositiveIntegerField(default=1)

    health = models.CharField(max_length=10, choices=Health, default=Health.NEW)
    message = models.TextField(blank=True, default="")
    fetched_at = models.DateTimeField(null=True)
    main_sha = models.CharField(max_length=64, blank=True, default="")
    format = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return f"repository of {self.team}"

    def get_absolute_url(self) -> str:
        return reverse("releases:repository", kwargs={"slug": self.team.slug})

    @property
    def audit_label(self) -> str:
        """How a sentence of history names the repository."""
        return f"the repository of {self.team.name}"


class Commit(models.Model):
    """One commit of a team's repository, as recorded at fetch; never changed afterwards."""

    repository = models.ForeignKey(Repository, models.PROTECT, related_name="commits")
    sha = models.CharField(max_length=64)
    author_name = models.CharField(max_length=200)
    author_email = models.CharField(max_length=254)
    committer_name = models.CharField(max_length=200)
    committer_email = models.CharField(max_length=254)
    co_authors = models.JSONField(default=list)
    authored_at = models.DateTimeField()
    committed_at = models.DateTimeField()
    first_seen_at = models.DateTimeField(default=clock.now)
    message = models.TextField()
    parents = models.JSONField(default=list)
    on_main = models.BooleanField(default=False)
    position = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "sha"], name="commit_once")]
        indexes = [models.Index(fields=["repository", "-position"], name="commit_newest")]

    def __str__(self) -> str:
        return self.sha[:7]

    @property
    def title(self) -> str:
        """First line of the message."""
        return self.message.split("\n", 1)[0]


class GitRef(models.Model):
    """A branch or tag and the commit it named at the last fetch."""

    class Kind(models.TextChoices):
        BRANCH = "branch", "branch"
        TAG = "tag", "tag"

    repository = models.ForeignKey(Repository, models.PROTECT, related_name="refs")
    kind = models.CharField(max_length=6, choices=Kind)
    name = models.CharField(max_length=250)
    sha = models.CharField(max_length=64)
    seen_at = models.DateTimeField()
    moved_from = models.CharField(max_length=64, blank=True, default="")
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "kind", "name"], name="ref_once")
        ]

    def __str__(self) -> str:
        return self.name


class Change(models.Model):
    """A work item, known by its key (``ABC-123``) in a branch name, commit trailer or title."""

    team = models.ForeignKey("governance.Team", models.PROTECT, related_name="changes")
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=250, blank=True, default="")
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="change_once")]

    def __str__(self) -> str:
        return self.key


class ChangeCommit(models.Model):
    """A commit that belongs to a work item."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="commit_links")
    commit = models.ForeignKey(Commit, models.PROTECT, related_name="change_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["change", "commit"], name="change_commit_once")
        ]

    def __str__(self) -> str:
        return f"{self.change_id} {self.commit_id}"


class WebhookDelivery(models.Model):
    """A delivery id already seen, so that a replayed webhook does nothing."""

    repository = models.ForeignKey(Repository, models.PROTECT, related_name="deliveries")
    delivery_id = models.CharField(max_length=100)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "delivery_id"], name="delivery_once")
        ]

    def __str__(self) -> str:
        return self.delivery_id
