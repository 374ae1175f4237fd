"""Registering, editing, connecting and retiring environments."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotNow, Stale
from core.unsealing import unseal
from environments.models import Credential, Environment, Track
from environments.services import leases, orgs
from environments.services.orgs import Words
from governance import audit
from governance.models import AuditEvent
from jobs.models import Work
from tests.environments.conftest import CI_ID, OTHER_ID, PRD_ID, SECRET, House, seal, words
from tests.salesforce.scripted import Scripted
from tests.support.databases import as_role

PRD = {"name": "Production", "licence_type": "production", "login_host": "acme.my.salesforce.com"}


def register_production(house: House, organization_id: str = PRD_ID) -> Environment:
    with house.acting("ines"):
        typed = words(**PRD, expected_organization_id=organization_id)
        return orgs.create(team=None, stage="PRD", words=typed)


def code_of(call: Callable[[], object], kind: type[DomainError] = DomainError) -> str:
    with pytest.raises(kind) as raised:
        call()
    return raised.value.code


# Registering -------------------------------------------------------------------------------------


def test_an_org_is_registered_on_its_teams_track(house: House) -> None:
    with house.acting("priya"):
        made = orgs.create(
            team=house.teams["sales"],
            stage="CI",
            words=words(name="  Sales   CI ", expected_organization_id=CI_ID[:15]),
        )
    assert (made.name, made.stage, made.kind, made.connection) == (
        "Sales CI",
        "CI",
        "sandbox",
        "unchecked",
    )
    assert made.expected_organization_id == CI_ID
    assert made.track.team == house.teams["sales"]
    assert not made.protected
    event = audit.events_for(made.public_id)[0]
    assert event.sentence == "Priya registered Sales CI as CI of Sales"


def test_the_way_to_production_is_always_protected(house: House) -> None:
    with house.acting("ines"):
        made = orgs.create(
            team=None, stage="PRE-PRD", words=words(name="Rehearsal", licence_type="full")
        )
    assert made.protected
    assert made.track.is_production
    assert register_production(house).kind == "production"


@pytest.mark.parametrize(
    ("who", "team", "stage", "allowed"),
    [
        ("priya", "sales", "CI", True),
        ("ines", "sales", "CI", True),
        ("ines", None, "CI", True),
        ("lena", "sales", "CI", False),
        ("tomas", "sales", "CI", False),
        ("priya", None, "CI", False),
        ("marek", "sales", "CI", False),
        ("marek", None, "PRE-PRD", False),
        ("ana", None, "PRE-PRD", False),
        ("paul", "sales", "CI", False),
    ],
)
def test_leads_register_their_teams_orgs_and_admins_every_org(
    house: House, who: str, team: str | None, stage: str, allowed: bool
) -> None:
    def act() -> object:
        with house.acting(who):
            return orgs.create(team=house.teams[team] if team else None, stage=stage, words=words())

    if allowed:
        act()
    else:
        assert code_of(act, NotAllowed).startswith("permission.")
        assert not Environment.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"name": "  "}, "environment.name", "name"),
        ({"licence_type": "production"}, "environment.licence", "licence_type"),
        ({"licence_type": "huge"}, "environment.licence", "licence_type"),
        ({"login_host": "evil.com"}, "host.not_allowed", "login_host"),
        ({"login_host": "http://acme.my.salesforce.com"}, "host.malformed", "login_host"),
        ({"expected_organization_id": "00D12"}, "id.malformed", "expected_organization_id"),
        (
            {"expected_organization_id": "001A0000006Vm9r"},
            "id.not_an_organization",
            "expected_organization_id",
        ),
        ({"api_version": "64"}, "environment.api_version", "api_version"),
        ({"api_version": "9.0"}, "environment.api_version", "api_version"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    house: House, changes: dict[str, str], code: str, field: str
) -> None:
    with house.acting("priya"), pytest.raises(InvalidInput) as raised:
        orgs.create(team=house.teams["sales"], stage="CI", words=words(**changes))
    assert (raised.value.code, raised.value.field) == (code, field)


@pytest.mark.parametrize("stage", ["PRD", "PRE-PRD", "QA", ""])
def test_a_teams_track_has_its_own_stages_only(house: House, stage: str) -> None:
    with house.acting("priya"):
        assert (
            code_of(lambda: orgs.create(team=house.teams["sales"], stage=stage, words=words()))
            == "environment.stage"
        )


def test_a_name_is_taken_whatever_its_case(house: House) -> None:
    with house.acting("priya"):
        orgs.create(team=house.teams["sales"], stage="CI", words=words())
        again = words(name="SALES ci", expected_organization_id=OTHER_ID)
        code = code_of(
            lambda: orgs.create(team=house.teams["sales"], stage="TEST", words=again), Conflict
        )
    assert code == "environment.name_taken"


def test_a_stage_is_filled_once(house: House) -> None:
    with house.acting("priya"):
        orgs.create(team=house.teams["sales"], stage="CI", words=words())
        again = words(name="Other", expected_organization_id=OTHER_ID)
        code = code_of(
            lambda: orgs.create(team=house.teams["sales"], stage="CI", words=again), Conflict
        )
    assert code == "environment.stage_taken"


def test_an_installation_has_one_production_org(house: House) -> None:
    register_production(house)
    assert code_of(lambda: register_production(house, OTHER_ID), Conflict) in (
        "environment.stage_taken",
        "environment.name_taken",
    )


def test_production_registered_again_as_a_teams_org_is_refused_by_name(house: House) -> None:
    register_production(house)
    with house.acting("priya"), pytest.raises(Conflict) as raised:
        orgs.create(
            team=house.teams["sales"], stage="DEV", words=words(expected_organization_id=PRD_ID)
        )
    assert raised.value.code == "environment.organization_taken"
    assert "it is Production" in raised.value.message


def test_there_is_one_track_to_production_in_the_database(house: House) -> None:
    Track.objects.create(team=None, kind="production")
    with pytest.raises(IntegrityError, match="track_one_leads_to_production"), transaction.atomic():
        Track.objects.create(team=None, kind="production")
    with pytest.raises(IntegrityError, match="track_of_a_team"), transaction.atomic():
        Track.objects.create(team=None, kind="developer")


# Editing -----------------------------------------------------------------------------------------


def edit(environment: Environment, seen: Words | None = None, /, **changes: str) -> Environment:
    before = Words.of(environment)
    fields = {name: getattr(before, name) for name in Words.__slots__}
    return orgs.edit(
        environment_id=environment.pk,
        seen_version=(seen or before).version(),
        words=Words(**{**fields, **changes}),
    )


def test_a_new_name_keeps_the_connection_and_the_credential(
    house: House, connected: Environment
) -> None:
    with house.acting("priya"):
        changed = edit(connected, name="Sales integration")
    assert changed.connection == "ok"
    assert Credential.objects.filter(environment=connected).exists()
    assert audit.events_for(connected.public_id)[0].event == "environment.edited"


@pytest.mark.parametrize("field", ["login_host", "expected_organization_id"])
def test_another_address_discards_the_credential_and_what_was_seen(
    house: House, connected: Environment, server: Scripted, field: str
) -> None:
    with as_role("deploy"):
        Environment.objects.filter(pk=connected.pk).update(holds_label="v1", hold_state="deployed")
    value = {
        "login_host": f"other.localhost:{server.port}",
        "expected_organization_id": OTHER_ID,
    }[field]
    with house.acting("priya"):
        changed = edit(connected, **{field: value})
    assert not Credential.objects.filter(environment=connected).exists()
    assert changed.organization_id is None
    assert changed.is_sandbox is None
    assert (changed.connection, changed.hold_state, changed.holds_label) == (
        "unchecked",
        "empty",
        "",
    )
    assert audit.events_for(connected.public_id)[0].event == "environment.address_changed"


def test_an_edit_never_overwrites_what_it_did_not_see(
    house: House, environment: Environment
) -> None:
    seen = Words.of(environment)
    with house.acting("priya"):
        edit(environment, name="First")
        environment.refresh_from_db()
        with pytest.raises(Stale) as raised:
            edit(environment, seen, name="Second")
    assert raised.value.code == "environment.changed"
    environment.refresh_from_db()
    assert environment.name == "First"


def test_an_address_does_not_change_under_an_operation(
    house: House, connected: Environment, server: Scripted
) -> None:
    with as_role("deploy"):
        leases.take(
            environment_id=connected.pk,
            holder_kind="deployment",
            holder_id=7,
            holder_label="D-7",
        )
    with house.acting("priya"):
        with pytest.raises(NotNow) as raised:
            edit(connected, login_host=f"other.localhost:{server.port}")
        assert edit(connected, name="Still fine").name == "Still fine"
    assert raised.value.code == "environment.in_use"
    assert "D-7" in raised.value.message


def test_only_those_who_look_after_it_edit_it(house: House, environment: Environment) -> None:
    for who in ("lena", "tomas", "marek", "ana", "paul"):
        with house.acting(who), pytest.raises(NotAllowed):
            edit(environment, name="Mine")


# Credentials -------------------------------------------------------------------------------------


def test_a_credential_is_sealed_for_host_organization_and_environment(
    house: House, sealed: Environment
) -> None:
    stored = Credential.objects.get(environment=sealed)
    assert SECRET.encode() not in bytes(stored.ciphertext)
    payload = unseal("org-sandbox", stored.key_id, bytes(stored.ciphertext))
    assert payload["login_host"] == sealed.login_host
    assert payload["organization_id"] == CI_ID
    assert payload["environment_id"] == sealed.pk
    assert payload["secret"] == SECRET
    assert stored.set_by == house.people["priya"]
    assert Work.objects.get(kind="environments.check").subject_id == sealed.pk


def test_no_event_holds_the_secret(house: House, sealed: Environment) -> None:
    assert not AuditEvent.objects.filter(body__contains=SECRET).exists()
    assert audit.events_for(sealed.public_id)[0].event == "environment.credential_set"


def test_production_is_sealed_with_its_own_key(house: House) -> None:
    production = register_production(house)
    seal(house, production, by="ines")
    assert Credential.objects.get(environment=production).purpose == "org-production"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"flow": "password"}, "credential.flow", "flow"),
        ({"client_id": " "}, "credential.incomplete", "client_id"),
        ({"secret": " "}, "credential.incomplete", "secret"),
        ({"flow": "jwt", "username": ""}, "credential.username", "username"),
        ({"flow": "jwt", "username": "u"}, "key.malformed", "secret"),
    ],
)
def test_a_credential_that_cannot_work_is_refused(
    house: House, environment: Environment, changes: dict[str, str], code: str, field: str
) -> None:
    given = {"flow": "client_credentials", "client_id": "k", "username": "", "secret": SECRET}
    with house.acting("priya"), pytest.raises(InvalidInput) as raised:
        orgs.set_credential(environment_id=environment.pk, **{**given, **changes})
    assert (raised.value.code, raised.value.field) == (code, field)
    assert not Credential.objects.exists()


def test_a_jwt_key_is_taken(house: House, environment: Environment, private_key: str) -> None:
    with house.acting("priya"):
        orgs.set_credential(
            environment_id=environment.pk,
            flow="jwt",
            client_id="k",
            username="release@acme.example",
            secret=private_key,
        )
    assert Credential.objects.get(environment=environment).username == "release@acme.example"


def test_client_credentials_are_refused_on_a_common_login_host(house: House) -> None:
    with house.acting("priya"):
        made = orgs.create(
            team=house.teams["sales"], stage="CI", words=words(login_host="test.salesforce.com")
        )
        code = code_of(
            lambda: orgs.set_credential(
                environment_id=made.pk,
                flow="client_credentials",
                client_id="k",
                username="",
                secret=SECRET,
            )
        )
    assert code == "host.my_domain_needed"


def test_only_those_who_look_after_it_connect_it(house: House, environment: Environment) -> None:
    for who in ("lena", "tomas", "marek", "ana", "paul"):
        with pytest.raises(NotAllowed):
            seal(house, environment, by=who)


def test_a_check_needs_a_credential(house: House, environment: Environment) -> None:
    with house.acting("lena"):
        code = code_of(lambda: orgs.request_check(environment_id=environment.pk), NotNow)
    assert code == "environment.no_credential"


def test_a_developer_checks_the_teams_org_and_nobody_elses(
    house: House, sealed: Environment
) -> None:
    with house.acting("lena"):
        orgs.request_check(environment_id=sealed.pk)
    for who in ("tomas", "ana", "paul"):
        with house.acting(who), pytest.raises(NotAllowed):
            orgs.request_check(environment_id=sealed.pk)


def test_looking_into_a_protected_org_needs_more(house: House) -> None:
    production = register_production(house)
    seal(house, production, by="ines")
    for who in ("priya", "lena", "paul"):
        with house.acting(who), pytest.raises(NotAllowed):
            orgs.request_check(environment_id=production.pk)
    for who in ("marek", "ana", "ines"):
        with house.acting(who):
            orgs.request_check(environment_id=production.pk)


# Policies ----------------------------------------------------------------------------------------


# Retiring ----------------------------------------------------------------------------------------


def test_retiring_frees_the_stage_and_discards_the_credential(
    house: House, connected: Environment
) -> None:
    with house.acting("priya"):
        orgs.retire(environment_id=connected.pk, typed_name="Sales CI")
        assert not Credential.objects.filter(environment=connected).exists()
        again = orgs.create(team=house.teams["sales"], stage="CI", words=words(name="Sales CI 2"))
    assert again.expected_organization_id == connected.expected_organization_id


def test_retiring_asks_for_the_name(house: House, environment: Environment) -> None:
    with house.acting("priya"):
        code = code_of(lambda: orgs.retire(environment_id=environment.pk, typed_name="sales ci"))
    assert code == "environment.name_differs"


def test_what_is_in_use_is_not_retired(house: House, environment: Environment) -> None:
    with as_role("deploy"):
        leases.take(environment_id=environment.pk, holder_kind="deployment", holder_id=1)
    with house.acting("priya"):
        code = code_of(lambda: orgs.retire(environment_id=environment.pk, typed_name="Sales CI"))
    assert code == "environment.in_use"


def test_a_retired_environment_takes_no_credential(house: House, environment: Environment) -> None:
    with house.acting("priya"):
        orgs.retire(environment_id=environment.pk, typed_name="Sales CI")
        with pytest.raises(NotNow):
            seal(house, environment)


# What the database refuses by itself -------------------------------------------------------------


@pytest.mark.parametrize(
    "assignment",
    [
        "organization_id = expected_organization_id",
        "is_sandbox = true",
        "connection = 'ok'",
        "holds_digest = ''",
        "hold_state = 'deployed'",
        "track_id = track_id",
        "kind = kind",
    ],
)
def test_web_cannot_write_what_only_workers_see(environment: Environment, assignment: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE environments_environment SET {assignment}")  # noqa: S608


def test_no_environment_is_born_with_a_connection(house: House, environment: Environment) -> None:
    with pytest.raises(Exception, match="only a worker writes"), transaction.atomic():
        Environment.objects.create(
            track=environment.track,
            stage="TEST",
            kind="sandbox",
            name="Forged",
            licence_type="developer",
            login_host="acme.my.salesforce.com",
            expected_organization_id=OTHER_ID,
            organization_id=OTHER_ID,
            is_sandbox=True,
            connection="ok",
        )


def test_deploy_workers_cannot_write_what_people_typed(environment: Environment) -> None:
    with (
        as_role("deploy"),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        Environment.objects.filter(pk=environment.pk).update(login_host="acme.my.salesforce.com")


def test_build_workers_do_not_see_credentials(sealed: Environment) -> None:
    with (
        as_role("build"),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        Credential.objects.first()


def test_nobody_deletes_a_credential_by_hand(sealed: Environment) -> None:
    for role in ("web", "deploy"):
        with (
            as_role(role),
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
        ):
            Credential.objects.all().delete()
