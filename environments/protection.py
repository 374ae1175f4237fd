"""The policies that protect something now; governance asks for them by name."""

from __future__ import annotations

from environments.models import Environment
from governance.models import PolicyVersion


def policies_in_force() -> list[PolicyVersion]:
    """Return the current versions of the policies of protected environments."""
    rows = Environment.objects.live().select_related("track", "policy").exclude(policy=None)
    policies = {row.policy_id: row.policy for row in rows if row.protected and row.policy}
    return [version for policy in policies.values() if (version := policy.current) is not None]
