"""The history and the e-mails of a request: nobody's org is copied anew unseen."""

from __future__ import annotations

from environments.models import SandboxRequest
from governance import audit, notices
from governance.models import User
from governance.selectors import people
from governance.states import Role

DECIDERS = (Role.RELEASE_MANAGER, Role.ADMIN)


def record(event: str, request: SandboxRequest, **facts: object) -> None:
    """Write an event about a request, in the story of its environment too."""
    environment = request.environment
    question = audit.behalf_of(requester=request.requested_by, approval_id=None)
    audit.record(
        event,
        request,
        related=[environment.public_id] if environment else (),
        team=environment.team if environment else request.team,
        facts={"name": request.name, "digest": request.digest, **facts},
        behalf=question,
    )


def tell(request: SandboxRequest, subject: str, text: str) -> None:
    """Tell the team whose org it is, and who asked; production's track is the release managers'."""
    link = notices.absolute(request.get_absolute_url())
    notices.send(
        recipients(request), subject, f"{text}\n\n{link}\n".lstrip(), related=[request.audit_ref]
    )


def recipients(request: SandboxRequest) -> list[User]:
    """Who hears of it."""
    team = request.environment.team if request.environment else request.team
    those = people.members(team) if team is not None else people.holders(DECIDERS)
    return [*those, request.requested_by]
