"""POST /api/checks/: other systems report results about commits (docs/api.md)."""

from __future__ import annotations

import json

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.errors import InvalidInput, NotNow
from governance import tokens
from governance.access import public
from governance.models import Team
from releases.services import check_results

SCOPE = "checks:report"
BODY_MAX = 8_192


@csrf_exempt  # carries a token, never a session
@require_POST
@public
def report(request: HttpRequest) -> JsonResponse:
    """Keep one result; 201 when it is new, 200 when it was sent before."""
    bearer = tokens.authenticate(request, SCOPE)
    found = check_results.read(_body(request))
    repository, team = check_results.team_of(found, bearer.token.team_ids)
    with bearer.acting():
        _demand_team(bearer, team)
        row, new = check_results.keep(
            report=found, reporter=bearer.user, repository=repository, team=team
        )
    answer = {
        "id": str(row.uuid),
        "commit": row.sha,
        "check": row.name,
        "run": row.run,
        "result": row.result,
        "new": new,
    }
    return JsonResponse(answer, status=201 if new else 200)


def _body(request: HttpRequest) -> object:
    if len(request.body) > BODY_MAX:
        raise InvalidInput("check.body", f"A report has at most {BODY_MAX} bytes.")
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise InvalidInput("check.body", "Send one JSON object.") from None


def _demand_team(bearer: tokens.Bearer, team: Team | None) -> None:
    """A token that is made for some teams reports about commits that Gatehouse knows as theirs."""
    if team is not None:
        bearer.demand_team(team)
    elif bearer.token.team_ids:
        raise NotNow(
            "check.commit_unknown",
            "Gatehouse has not fetched this commit yet. Send it again in a minute.",
        )
