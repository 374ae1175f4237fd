"""A small company in the middle of its work, as rows: for tests of pages and of search.

Two development teams (Sales, Service) and Platform, which owns production. One release is in
production, one is before the board and one is a draft; one build failed, one deployment runs and
one has an unknown outcome. Every row is written in the role that writes it in production, and
whatever a service can do without an org is done by that service.
"""

from __future__ import annotations

from django.db import transaction

from core import clock
from tests.support.company import audited, house, radar, trains, work
from tests.support.company.rows import LONG_CLASS, Company, acting, hex_of

__all__ = ["LONG_CLASS", "Company", "acting", "found", "hex_of"]


@transaction.atomic
def found() -> Company:
    """Write the whole company; needs a database."""
    company = Company(clock.now())
    house.people(company)
    house.policy(company)
    house.orgs(company)
    for team in ("sales", "service"):
        work.repository(company, team)
        work.builds(company, team)
        work.candidate(company, team)
    trains.shipped(company)
    trains.before_the_board(company)
    trains.draft(company)
    trains.in_trouble(company)
    radar.collisions(company)
    audited.evidence(company)
    return company
