"""Registering, editing, connecting and retiring environments. Runs in the web process.

What workers saw in the org belongs to the address it was seen at: changing the login host or the
expected organisation discards the credential and everything that was seen (by trigger, so that no
path around this module keeps them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q

from core import clock, digests, sealing
from core.db import shared_advisory_lock
from core.errors import Conflict, InvalidInput, NotNow, Stale
from core.names import plain
from environments import permissions, rules, selectors_calendar
from environments.gateways import allowed_hosts, purpose_of
from environments.models import DEFAULT_API_VERSION, Credential, Environment, Track
from environments.selectors_policies import born_with
from environments.services import leases
from environments.states import Flow, Licence, Stage, TrackKind, kind_of
from governance import audit
from governance.events import enumeration
from governance.models import Team
from governance.permissions import acting_person
from jobs.wake import wake
from salesforce import auth, ids

CHECK_KIND = "environments.check"


@dataclass(frozen=True, slots=True)
class Words:
    """What people type about an environment."""

    name: str
    licence_type: str
    login_host: str
    expected_organization_id: str
    api_version: str = DEFAULT_API_VERSION

    @classmethod
    def of(cls, environment: Environment) -> Words:
        """Return what is typed now."""
        return cls(
            environment.name,
            environment.licence_type,
            environment.login_host,
            environment.expected_organization_id,
            environment.api_version,
        )

    def version(self) -> str:
        """Return a digest that an edit names, so that it never overwrites what it did not see."""
        return digests.digest_json(list(astuple(self)))


def track_of(team: Team | None) -> Track:
    """Return the team's track, or production's for None; it is made when first needed."""
    kind = TrackKind.PRODUCTION if team is None else TrackKind.DEVELOPER
    track, _ = Track.objects.get_or_create(team=team, kind=kind.value)
    return track


@transaction.atomic
def create(*, team: Team | None, stage: str, words: Words) -> Environment:
    """Register an org on a stage of a team's track, or of production's when team is None.

    Raises NotAllowed, InvalidInput (``environment.stage``, ``environment.licence``, ``host.*``,
    ``id.*``) and Conflict (``environment.name_taken``, ``environment.stage_taken``,
    ``environment.organization_taken``).
    """
    track = track_of(team)
    permissions.demand_manage(track)
    place = _place(track, stage)
    # Whoever changes the stage's policy at this moment waits, or was waited for.
    shared_advisory_lock("stage-policies")
    typed = _checked(place, words)
    _refuse_taken_organization(typed.expected_organization_id, besides=None)
    policy, follows = born_with(track.kind, place)
    with _unique(typed, place, track):
        environment = Environment.objects.create(
            track=track,
            stage=place.value,
            kind=kind_of(place).value,
            name=typed.name,
            licence_type=typed.licence_type,
            login_host=typed.login_host,
            expected_organization_id=typed.expected_organization_id,
            api_version=typed.api_version,
            policy=policy,
            follows_stage=follows,
        )
    _record("environment.created", environment, stage=place.value, track=str(track))
    return environment


@transaction.atomic
def edit(*, environment_id: int, seen_version: str, words: Words) -> Environment:
    """Change what people type; another address discards the credential and what was seen.

    Raises Stale ``environment.changed`` when somebody else edited meanwhile, NotNow
    ``environment.in_use`` when the address changes under an operation, and like ``create``.
    """
    environment = _locked(environment_id)
    permissions.demand_manage(environment.track)
    before = Words.of(environment)
    if before.version() != seen_version:
        raise Stale(
            "environment.changed",
            f"{environment.name} was changed by somebody else since you opened this form. "
            "Your entries are kept: compare and send them again.",
        )
    typed = _checked(Stage(environment.stage), words)
    moved = (typed.login_host, typed.expected_organization_id) != (
        before.login_host,
        before.expected_organization_id,
    )
    if moved:
        _refuse_in_use(environment, "its address cannot change now")
        _refuse_taken_organization(typed.expected_organization_id, besides=environment)
    changed = [name for name in Words.__slots__ if getattr(typed, name) != getattr(before, name)]
    if not changed:
        return environment
    for name in changed:
        setattr(environment, name, getattr(typed, name))
    with _unique(typed, Stage(environment.stage), environment.track):
        environment.save(update_fields=changed)
    environment.refresh_from_db()
    if moved:
        _record(
            "environment.address_changed",
            environment,
            login_host=typed.login_host,
            before=before.login_host,
            organization_id=typed.expected_organization_id,
        )
    else:
        words_changed = ", ".join(name.replace("_", " ") for name in changed)
        _record("environment.edited", environment, changed=words_changed)
    return environment


@transaction.atomic
def set_credential(
    *, environment_id: int, flow: str, client_id: str, username: str, secret: str
) -> Environment:
    """Seal a credential to the deploy workers and ask for a check.

    ``secret`` is the RSA private key (JWT) or the client secret. It is bound to the environment,
    its login host and its expected organisation; this process cannot read it back.
    Raises InvalidInput (``credential.*``, ``key.*``, ``host.my_domain_needed``) and NotNow.
    """
    environment = _locked(environment_id)
    permissions.demand_manage(environment.track)
    _refuse_retired(environment)
    chosen = _checked_credential(environment, flow, client_id, username, secret)
    sealed = sealing.seal(
        purpose_of(environment.kind),
        {
            "login_host": environment.login_host,
            "organization_id": environment.expected_organization_id,
            "environment_id": environment.pk,
            "flow": chosen.value,
            "client_id": client_id.strip(),
            "username": username.strip(),
            "secret": secret.strip(),
        },
    )
    Credential.objects.update_or_create(
        environment=environment,
        defaults={
            "flow": chosen.value,
            "purpose": purpose_of(environment.kind),
            "key_id": sealed.key_id,
            "ciphertext": sealed.ciphertext,
            "client_id": client_id.strip(),
            "username": username.strip(),
            "set_by": acting_person(),
            "set_at": clock.now(),
        },
    )
    _record("environment.credential_set", environment, flow=chosen.title, client_id=client_id)
    _ask_for_check(environment)
    return environment


@transaction.atomic
def request_check(*, environment_id: int) -> Environment:
    """Ask a deploy worker to open the org and say which one it is.

    Raises NotAllowed, NotNow ``environment.retired`` and ``environment.no_credential``.
    """
    environment = _locked(environment_id)
    permissions.demand_probe(environment)
    _refuse_retired(environment)
    if not Credential.objects.filter(environment=environment).exists():
        raise NotNow(
            "environment.no_credential",
            f"{environment.name} has no credential yet. Enter how Gatehouse signs in first.",
        )
    _record("environment.check_requested", environment)
    _ask_for_check(environment)
    return environment


@transaction.atomic
def retire(*, environment_id: int, typed_name: str) -> Environment:
    """Take the environment out of its stage for good; its credential is discarded.

    Raises InvalidInput ``environment.name_differs`` unless its name was typed, NotNow
    ``environment.in_use``, ``environment.frozen`` while a freeze lies on it that only sign-offs
    lift, and ``environment.has_requests`` while people are asked about it.
    """
    environment = _locked(environment_id)
    permissions.demand_manage(environment.track)
    _refuse_retired(environment)
    _refuse_in_use(environment, "it cannot be retired now")
    _refuse_frozen(environment)
    _refuse_asked(environment)
    if typed_name.strip() != environment.name:
        raise InvalidInput(
            "environment.name_differs",
            f"Type “{environment.name}” to confirm; what you typed does not match.",
            field="typed_name",
        )
    environment.retired_at = clock.now()
    environment.save(update_fields=["retired_at"])
    _record("environment.retired", environment)
    return environment


def _locked(environment_id: int) -> Environment:
    return (
        Environment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("track__team", "policy")
        .get(pk=environment_id)
    )


def _place(track: Track, stage: str) -> Stage:
    known = {str(item): item for item in track.stages}
    if stage not in known:
        raise InvalidInput(
            "environment.stage",
            f"The track of {track} has the stages {', '.join(known)}; “{stage}” is none of them.",
            field="stage",
        )
    return known[stage]


def _checked(stage: Stage, words: Words) -> Words:
    """Return the words in the form in which they are stored, or refuse one by its field."""
    name = plain(words.name)
    if not name:
        raise InvalidInput("environment.name", "Give the environment a name.", field="name")
    if words.licence_type not in {str(item) for item in Licence} or not rules.licence_fits(
        stage, Licence(words.licence_type)
    ):
        raise InvalidInput(
            "environment.licence",
            "PRD is the production org, every other stage is a sandbox: choose its licence type.",
            field="licence_type",
        )
    try:
        organization = ids.organization_id(words.expected_organization_id)
    except InvalidInput as error:
        raise InvalidInput(error.code, error.message, field="expected_organization_id") from None
    version = words.api_version.strip()
    if not (version.endswith(".0") and version[:-2].isdecimal() and 50 <= int(version[:-2]) < 1000):
        raise InvalidInput(
            "environment.api_version",
            "Write the API version like 64.0; the oldest that Gatehouse speaks is 50.0.",
            field="api_version",
        )
    host = str(allowed_hosts().require(words.login_host))
    return Words(name, words.licence_type, host, organization, version)


def _checked_credential(
    environment: Environment, flow: str, client_id: str, username: str, secret: str
) -> Flow:
    if flow not in {str(item) for item in Flow}:
        raise InvalidInput("credential.flow", "Choose how Gatehouse signs in.", field="flow")
    chosen = Flow(flow)
    if not client_id.strip() or not secret.strip():
        field = "secret" if client_id.strip() else "client_id"
        raise InvalidInput("credential.incomplete", "Enter the key and the secret.", field=field)
    if chosen is Flow.CLIENT_CREDENTIALS:
        auth.require_my_domain(allowed_hosts().require(environment.login_host))
        return chosen
    if not username.strip():
        raise InvalidInput(
            "credential.username", "Enter the integration user's username.", field="username"
        )
    try:
        auth.require_rsa_key(secret)
    except InvalidInput as error:
        raise InvalidInput(error.code, error.message, field="secret") from None
    return chosen


def _refuse_taken_organization(organization_id: str, *, besides: Environment | None) -> None:
    others = Environment.objects.live().filter(
        Q(organization_id=organization_id) | Q(expected_organization_id=organization_id)
    )
    holder = next((other for other in others if other != besides), None)
    if holder is not None:
        raise Conflict(
            "environment.organization_taken",
            f"Organisation {organization_id} is registered already: it is {holder.name}. "
            "An org fills one stage only.",
            field="expected_organization_id",
        )


@contextmanager
def _unique(words: Words, stage: Stage, track: Track) -> Iterator[None]:
    """Turn a broken unique constraint into a sentence; the database decides, not a query before."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        text = str(error)
        if "environment_name_is_unique" in text:
            raise Conflict(
                "environment.name_taken",
                f"Another environment is called “{words.name}” already. Choose another name.",
                field="name",
            ) from None
        if "environment_one_per_stage" in text or "environment_one_production_org" in text:
            raise Conflict(
                "environment.stage_taken",
                f"{stage} of {track} is filled already. Retire that environment first.",
                field="stage",
            ) from None
        if "environment_expected_organization_is_unique" in text:
            _refuse_taken_organization(words.expected_organization_id, besides=None)
        raise


def _refuse_retired(environment: Environment) -> None:
    if environment.retired_at is not None:
        raise NotNow("environment.retired", f"{environment.name} is retired.")


def _refuse_in_use(environment: Environment, consequence: str) -> None:
    holder = leases.holder_of(environment.pk)
    if holder is not None:
        raise NotNow(
            "environment.in_use",
            f"{environment.name} is in use by {holder.label}, so {consequence}. "
            "Wait until that has ended.",
        )


Questions = Callable[[Environment], list[str]]

_questions: dict[str, Questions] = {}


def register_questions(name: str, questions: Questions) -> None:
    """Let an app name the requests for approval that are about an environment; once per name."""
    if _questions.setdefault(name, questions) is not questions:
        raise ValueError(f"questions of {name} are registered twice")


def _refuse_asked(environment: Environment) -> None:
    asked = [ref for questions in _questions.values() for ref in questions(environment)]
    if asked:
        raise NotNow(
            "environment.has_requests",
            f"People are asked about {environment.name}: {enumeration(asked)}. Have that decided "
            "or withdrawn before the environment is retired.",
        )


def _refuse_frozen(environment: Environment) -> None:
    if (freeze := selectors_calendar.frozen_by(environment)) is not None:
        raise NotNow(
            "environment.frozen",
            f"The freeze “{freeze}” lies on {environment.name} and would end with it. Have the "
            "board lift it first, or wait for its end.",
        )


def _ask_for_check(environment: Environment) -> None:
    environment.check_requested_at = clock.now()
    environment.save(update_fields=["check_requested_at"])
    wake(CHECK_KIND, environment.pk)


def _record(event: str, environment: Environment, **facts: object) -> None:
    audit.record(event, environment, team=environment.team, facts=facts)
