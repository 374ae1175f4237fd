"""A letter before a question expires: once, to those who may still decide."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.context import Actor, acting_as
from governance.models import ApprovalRequest, Notice
from governance.services import reminders
from tests.support import company

pytestmark = pytest.mark.django_db


def test_those_who_may_decide_are_reminded_once_a_day_before_the_end() -> None:
    firm = company.found()
    request = ApprovalRequest.objects.latest("pk")
    before = Notice.objects.count()
    with acting_as(Actor("worker", None, "build worker")):
        assert reminders.remind(request.expires_at - timedelta(hours=25)) == 0
        assert reminders.remind(request.expires_at - timedelta(hours=23)) == 1
        assert reminders.remind(request.expires_at - timedelta(hours=22)) == 0
    told = set(Notice.objects.order_by("pk")[before:].values_list("recipient_email", flat=True))
    assert told == {firm.people[name].email for name in ("ana", "ben", "jonas")}
