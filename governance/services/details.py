"""Erasing the personal details of a person's events. The events themselves stay as they are."""

from __future__ import annotations

from django.db import transaction

from core.errors import InvalidInput
from governance import audit
from governance.models import AuditDetail, AuditEvent, User
from governance.rules.addresses import written


@transaction.atomic
def erase(*, email: str, reason: str) -> int:
    """Remove address and browser from every event of a person; return how many there were.

    Only the database's owner may. Codes: ``details.no_person``, ``details.no_reason``.
    """
    person = User.objects.filter(email=written(email)).first()
    if person is None:
        raise InvalidInput(
            "details.no_person", f"Nobody here has the address {email}. Look at the page People."
        )
    if not reason.strip():
        raise InvalidInput("details.no_reason", "Say why: the reason is kept in the history.")
    theirs = AuditEvent.objects.filter(actor_id=person.pk, actor_kind="person").values("pk")
    count, _ = AuditDetail.objects.filter(event__in=theirs).delete()
    audit.record("person.details_erased", person, facts={"count": count, "reason": reason.strip()})
    return count
