"""Fetch a repository: commits, refs and work items into rows, the head of main into a build."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from core import db
from core.errors import DomainError, ExternalFault
from environments.models import Environment
from jobs.registry import Claim, Next
from metadata.mirrors import CommitInfo, Mirror
from releases import gateways
from releases.models import Change, ChangeCommit, Commit, GitRef, Repository
from releases.rules import changes
from releases.services import builds, radar, repositories

FIRST_FETCH_LIMIT = 500
"""Commits recorded at the first fetch of a long history; later fetches record all that is new."""


def fetch(claim: Claim) -> Next:
    """Fetch, record what is new, queue a build of a new head and come back at the next poll."""
    repository = Repository.objects.select_related("team").get(pk=claim.subject_id)
    again = Next.after(settings.GATEHOUSE.git_poll_seconds)
    claim.renew(600)
    try:
        mirror = gateways.fetch(repository)
        refs = mirror.refs()
        head = refs.branches.get(repository.main_branch, "")
        if not head:
            raise ExternalFault(
                "git.no_main_branch",
                f"The repository has no branch “{repository.main_branch}”.",
                retryable=False,
            )
        new = _new_commits(mirror, repository, head, sorted(set(refs.tags.values())))
        layout = mirror.format(head).name
    except DomainError as fault:
        _failed(claim, repository.pk, fault)
        return again
    with transaction.atomic():
        claim.guard()
        repository = repositories.lock(repository.pk)
        _record_commits(repository, new)
        moved = _record_refs(repository, refs.branches, refs.tags)
        _queue_build(repository, head)
        _healthy(repository, head, layout, len(new), moved)
        radar.follow(repository)
    return again


def _new_commits(
    mirror: Mirror, repository: Repository, head: str, tags: list[str]
) -> list[tuple[CommitInfo, bool]]:
    """Commits not recorded yet, oldest first, each with whether it is on main."""
    known = set(repository.commits.values_list("sha", flat=True))
    tips = list(repository.commits.filter(on_main=True).order_by("-position")[:1])
    limit = None if tips else FIRST_FETCH_LIMIT
    seen: dict[str, tuple[CommitInfo, bool]] = {}
    not_in = [tip.sha for tip in tips]
    for commit in reversed(mirror.commits(head, not_in=not_in, limit=limit)):
        if commit.sha not in known:
            seen[commit.sha] = (commit, True)
    for tag in tags:
        if tag in known or tag in seen:
            continue
        for commit in reversed(mirror.commits(tag, not_in=[head, *not_in], limit=100)):
            if commit.sha not in known and commit.sha not in seen:
                seen[commit.sha] = (commit, False)
    return list(seen.values())


def _record_commits(repository: Repository, new: list[tuple[CommitInfo, bool]]) -> None:
    last = repository.commits.aggregate(last=Max("position"))["last"] or 0
    rows = [
        Commit(
            repository=repository,
            sha=commit.sha,
            author_name=commit.author_name[:200],
            author_email=commit.author_email[:254],
            committer_name=commit.committer_name[:200],
            committer_email=commit.committer_email[:254],
            co_authors=[list(pair) for pair in commit.co_authors],
            authored_at=commit.authored_at,
            committed_at=commit.committed_at,
            message=commit.message,
            parents=list(commit.parents),
            on_main=on_main,
            position=last + number,
        )
        for number, (commit, on_main) in enumerate(new, start=1)
    ]
    Commit.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    shas = [commit.sha for commit, _ in new]
    for row in Commit.objects.filter(repository=repository, sha__in=shas):
        for key in changes.keys(row.message):
            change, _ = Change.objects.get_or_create(
                team=repository.team,
                key=key,
                defaults={"title": row.title[:250], "first_seen_at": db.database_now()},
            )
            ChangeCommit.objects.get_or_create(change=change, commit=row)


def _record_refs(
    repository: Repository, branches: dict[str, str], tags: dict[str, str]
) -> list[tuple[str, str, str]]:
    """Write refs down; returns tags that name another commit than before."""
    now = db.database_now()
    known = {(ref.kind, ref.name): ref for ref in repository.refs.all()}
    fresh, moved = [], []
    wanted = [(GitRef.Kind.BRANCH, n, s) for n, s in branches.items()]
    wanted += [(GitRef.Kind.TAG, n, s) for n, s in tags.items()]
    for kind, name, sha in wanted:
        ref = known.pop((kind.value, name), None)
        if ref is None:
            fresh.append(GitRef(repository=repository, kind=kind, name=name, sha=sha, seen_at=now))
        elif ref.sha != sha or ref.gone_at is not None:
            if kind is GitRef.Kind.TAG and ref.sha != sha:
                moved.append((name, ref.sha, sha))
                ref.moved_from = ref.sha
            ref.sha, ref.seen_at, ref.gone_at = sha, now, None
            ref.save(update_fields=["sha", "seen_at", "gone_at", "moved_from"])
    GitRef.objects.bulk_create(fresh, batch_size=500)
    gone = [ref.pk for ref in known.values() if ref.gone_at is None]
    GitRef.objects.filter(pk__in=gone).update(gone_at=now)
    return moved


def _queue_build(repository: Repository, head: str) -> None:
    """Build a new head of main, when the team has a CI org to build into."""
    has_ci = Environment.objects.filter(
        track__team=repository.team, stage="CI", retired_at__isnull=True
    ).exists()
    if has_ci:
        builds.queue(repository, head, repository.main_branch)


def _healthy(
    repository: Repository,
    head: str,
    layout: str,
    commits: int,
    moved: list[tuple[str, str, str]],
) -> None:
    changed = repository.main_sha != head or repository.health != Repository.Health.OK
    repository.health = Repository.Health.OK
    repository.message = ""
    repository.fetched_at = db.database_now()
    repository.main_sha = head
    repository.format = layout
    repository.save(update_fields=["health", "message", "fetched_at", "main_sha", "format"])
    if changed or commits:
        repositories.record("repository.fetched", repository, commits=commits, head=head[:7])
    for tag, old, new in moved:
        repositories.record("repository.tag_moved", repository, tag=tag, old=old[:7], new=new[:7])


@transaction.atomic
def _failed(claim: Claim, repository_id: int, fault: DomainError) -> None:
    """Keep the sentence for the page; an event only when it is news."""
    claim.guard()
    repository = repositories.lock(repository_id)
    news = repository.message != fault.message
    repository.health = Repository.Health.FAILED
    repository.message = fault.message
    repository.fetched_at = db.database_now()
    repository.save(update_fields=["health", "message", "fetched_at"])
    if news:
        repositories.record("repository.fetch_failed", repository, problem=fault.message)
