"""What a refresh of an environment meets: trains, work that would be gone, and what to bring back.

Registered with environments, which knows nothing of releases.
"""

from __future__ import annotations

from django.urls import reverse

from environments.models import Environment
from environments.services.sandboxes.outlook import Line, Offer, Outlook
from environments.states import Stage
from releases.models import Build, Candidate, Commit, Deployment, GitRef, Release, Step
from releases.states import (
    LIVE_DEPLOYMENTS,
    BuildState,
    CandidateState,
    Effect,
    ReleaseState,
    StepState,
)

REHEARSING: dict[str, tuple[ReleaseState, ...]] = {
    Stage.CI.value: (ReleaseState.COMPOSED, ReleaseState.INTEGRATING),
    Stage.PRE_PRD.value: (
        ReleaseState.COMPOSED,
        ReleaseState.INTEGRATING,
        ReleaseState.INTEGRATED,
        ReleaseState.REHEARSING,
        ReleaseState.REHEARSED,
        ReleaseState.SUBMITTED,
        ReleaseState.APPROVED,
        ReleaseState.SCHEDULED,
    ),
}
"""Releases that still need a stage of production's track."""

USABLE = (CandidateState.DEPLOYED, CandidateState.ACCEPTED, CandidateState.OFFERED)


def of(environment: Environment) -> Outlook:
    """What releases know about an environment."""
    return Outlook(
        trains=(*_trains(environment), *_under_way(environment)),
        lost=(*_unkept(environment), *_in_user_testing(environment)),
        offers=_offers(environment),
    )


def _trains(environment: Environment) -> list[Line]:
    if not environment.track.is_production:
        return []
    states = REHEARSING.get(environment.stage, ())
    found = []
    for release in Release.objects.filter(state__in=states).order_by("not_before", "pk"):
        when = f" for {release.not_before:%a %-d %b %H:%M} UTC" if release.not_before else ""
        verb = "rehearses" if environment.stage == Stage.PRE_PRD else "is integrated"
        text = f"{release.public_id} {release.title} ({release.state}{when}) {verb} here."
        found.append(Line(text, release.get_absolute_url()))
    return found


def _under_way(environment: Environment) -> list[Line]:
    rows = Deployment.objects.filter(environment=environment, state__in=LIVE_DEPLOYMENTS)
    return [
        Line(
            f"{row.public_id} to it is {row.state}: it waits until the sandbox is connected anew.",
            row.get_absolute_url(),
        )
        for row in rows.order_by("pk")
    ]


def _unkept(environment: Environment) -> list[Line]:
    """Commits brought here that no main branch and no tag of their repository holds."""
    steps = Step.objects.filter(
        deployment__environment=environment, effect=Effect.WRITE, state=StepState.SUCCEEDED
    )
    shas = {
        (build.repository_id, build.sha): build
        for build in Build.objects.filter(
            pk__in=steps.values("deployment__build_id")
        ).select_related("repository__team")
    }
    if not shas:
        return []
    kept = set(
        Commit.objects.filter(
            repository__in={key[0] for key in shas}, sha__in={key[1] for key in shas}, on_main=True
        ).values_list("repository_id", "sha")
    )
    kept |= set(
        GitRef.objects.filter(
            kind=GitRef.Kind.TAG, gone_at=None, sha__in={key[1] for key in shas}
        ).values_list("repository_id", "sha")
    )
    return [
        Line(
            f"Commit {sha[:7]} of {build.repository.team.name} ({build.public_id}) is in no main "
            "branch and no tag.",
            build.get_absolute_url(),
        )
        for (repository, sha), build in sorted(shas.items(), key=lambda item: -item[1].pk)
        if (repository, sha) not in kept
    ]


def _in_user_testing(environment: Environment) -> list[Line]:
    if environment.stage != Stage.TEST or environment.team is None:
        return []
    rows = Candidate.objects.filter(team=environment.team, state=CandidateState.DEPLOYED)
    return [
        Line(
            f"{row.public_id} {row.tag} is in user testing here; its testers start anew.",
            row.get_absolute_url(),
        )
        for row in rows.order_by("-pk")
    ]


def _offers(environment: Environment) -> tuple[Offer, ...]:
    """Where the track is ahead of production, the last thing that was brought here."""
    found = to_bring(environment)
    if found is None:
        return ()
    what = f"{found.tag}" if isinstance(found, Candidate) else f"the build of {found.sha[:7]}"
    return (
        Offer(
            text=f"{environment.name} holds what it was copied from. Its track is at {what}.",
            label=f"Bring it to {what}",
            url=reverse("releases:bring", kwargs={"pk": environment.pk}),
        ),
    )


def to_bring(environment: Environment) -> Candidate | Build | None:
    """The last candidate of a TEST, the last green build of a CI; production's copies need none."""
    team = environment.team
    if team is None or not environment.organization_id:
        return None
    if environment.stage == Stage.TEST:
        rows = Candidate.objects.filter(team=team, state__in=USABLE).exclude(artefact=None)
        return rows.select_related("team", "artefact").order_by("-pk").first()
    if environment.stage == Stage.CI:
        built = Build.objects.filter(repository__team=team, state=BuildState.PASSED)
        green = built.exclude(artefact=None).select_related("repository__team", "artefact")
        return green.order_by("-pk").first()
    return None
