"""Which roles only the board gives, and who holds one.

Governed are the roles of approvers, whatever the policies say, and every role that counts under the
board's own policy or under the policy in force of a protected environment. Which environments are
protected is known one layer above, so that app registers what it knows by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.errors import InvalidInput
from governance import policies
from governance.models import Delegation, PolicyVersion, User
from governance.rules.policy import parse
from governance.selectors.delegations import Now
from governance.selectors.people import live_memberships
from governance.states import APPROVERS, Role

Provider = Callable[[], Iterable[PolicyVersion]]

_providers: dict[str, Provider] = {}


def register(name: str, provider: Provider) -> None:
    """Let an app name the policy versions that protect something; once per name."""
    if _providers.setdefault(name, provider) is not provider:
        raise ValueError(f"protected policies of {name} are registered twice")


def roles() -> frozenset[Role]:
    """Return the roles that only the board gives now."""
    board = policies.board_policy()
    versions = [board] if board else []
    for provider in _providers.values():
        versions.extend(provider())
    found = set(APPROVERS)
    for version in {each.pk: each for each in versions}.values():
        found |= counted_roles(version)
    return frozenset(found)


def counted_roles(version: PolicyVersion) -> frozenset[Role]:
    """Return the roles that count under a policy version; none when it cannot be read."""
    try:
        rules = parse(version.body).approvals
    except InvalidInput:
        return frozenset()
    return frozenset(role for rule in rules if rule.team is None for role in rule.roles)


def is_holder(user: User) -> bool:
    """Tell whether a person holds a governed role, or is to stand in for somebody who does."""
    governed = roles()
    if live_memberships().filter(user_id=user.pk, role__in=governed).exists():
        return True
    lent = Delegation.objects.filter(deputy_id=user.pk, ended_at=None, ends_at__gt=Now())
    return lent.filter(role__in=governed).exists()
