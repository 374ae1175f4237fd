"""Results that other systems report about commits, such as Jenkins about its own tests.

A result is a row that is only added; the newest of a team, a commit and a name counts. Sending the
same result of the same run again changes nothing, so a reporter may repeat itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from core import db
from core.errors import InvalidInput, NotNow, TooMany
from governance import audit
from governance.models import Team, User
from governance.rules.policy import EXTERNAL
from releases.models import CheckResult, Commit, Repository

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
RUN = re.compile(r"[\x21-\x7e]{1,80}")
URL = re.compile(r"https?://[!#-&(-;=?-~]{3,480}")
PER_MINUTE = 120
RESULTS = tuple(CheckResult.Result.values)


@dataclass(frozen=True, slots=True)
class Report:
    """What was sent, read and checked."""

    commit: str
    name: str
    run: str
    result: str
    url: str = ""
    team: str = ""


def read(body: object) -> Report:
    """Read what was sent; raises InvalidInput ``check.<field>`` for the first thing wrong."""
    if not isinstance(body, dict):
        raise InvalidInput("check.body", "Send one JSON object.")
    known = {"commit", "check", "run", "result", "url", "team"}
    unknown = sorted(str(name) for name in set(body) - known)
    if unknown:
        raise InvalidInput("check.field", f"There is no field {', '.join(unknown)[:100]}.")
    text = {name: body.get(name, "") for name in known}
    wrong = next((name for name in sorted(known) if not isinstance(text[name], str)), None)
    if wrong:
        raise InvalidInput(f"check.{wrong}", f"The field {wrong} is a text.", field=wrong)
    return _checked(
        Report(
            commit=text["commit"].lower(),
            name=text["check"],
            run=text["run"],
            result=text["result"],
            url=text["url"],
            team=text["team"],
        )
    )


def _checked(report: Report) -> Report:
    if not SHA.fullmatch(report.commit):
        raise InvalidInput("check.commit", "Send the whole commit id, 40 digits.", field="commit")
    if not EXTERNAL.fullmatch(report.name):
        raise InvalidInput(
            "check.check", "Name the check in small letters, such as jenkins/e2e.", field="check"
        )
    if not RUN.fullmatch(report.run):
        raise InvalidInput(
            "check.run", "Send the run's own id, such as its build number.", field="run"
        )
    if report.result not in RESULTS:
        raise InvalidInput(
            "check.result", f"The result is one of {', '.join(RESULTS)}.", field="result"
        )
    if report.url and not URL.fullmatch(report.url):
        raise InvalidInput("check.url", "The link is an http address.", field="url")
    return report


def team_of(
    report: Report, token_teams: Collection[int] = ()
) -> tuple[Repository | None, Team | None]:
    """The repository and team that a report is about, as far as Gatehouse knows the commit.

    Whoever may push can hold another team's commit in a repository of their own, so a result
    counts in its team alone: the one that is named, else that of the token, else the only one
    there is. A token for every team reports about all when several hold the commit.

    Codes: ``check.commit_unknown`` when a team is named and its commit was not fetched yet,
    ``check.team`` when a token's several teams hold it.
    """
    known = Commit.objects.filter(sha=report.commit).select_related("repository__team")
    commits = list(known.order_by("pk"))
    if report.team:
        commits = [row for row in commits if row.repository.team.slug == report.team]
    elif token_teams:
        own = [row for row in commits if row.repository.team_id in token_teams]
        if len(own) > 1:
            raise InvalidInput(
                "check.team",
                "Several teams of this token hold that commit. Name the one it is about.",
                field="team",
            )
        commits = own or commits[:1]
    if not commits and report.team:
        raise NotNow(
            "check.commit_unknown",
            "Gatehouse has not fetched this commit of this team yet. Send it again in a minute.",
        )
    if len(commits) != 1:
        return None, None
    return commits[0].repository, commits[0].repository.team


@transaction.atomic
def keep(
    *, report: Report, reporter: User, repository: Repository | None, team: Team | None
) -> tuple[CheckResult, bool]:
    """Write a result down once; the second value says whether it is new.

    Code ``check.too_many`` (429): at most ``PER_MINUTE`` new results a minute of one reporter.
    """
    now = db.database_now()
    recent = CheckResult.objects.filter(
        reported_by=reporter, received_at__gt=now - timedelta(minutes=1)
    )
    if recent.count() >= PER_MINUTE:
        raise TooMany("check.too_many", "Too many results in one minute. Send it again later.")
    row, new = CheckResult.objects.get_or_create(
        repository=repository,
        sha=report.commit,
        name=report.name,
        run=report.run,
        result=report.result,
        defaults={
            "url": report.url,
            "reported_by": reporter,
            "received_at": now,
        },
    )
    if new:
        facts = {
            "check": row.name,
            "commit": row.sha[:7],
            "result": row.result,
            "run": row.run,
            "url": row.url,
        }
        audit.record("check.reported", row, team=team, facts=facts)
    return row, new
