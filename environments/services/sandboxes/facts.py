"""The guard: what is known about a sandbox and a request, brought before the pure rules."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from core.digests import digest_json
from environments import rules_sandboxes as rules
from environments import selectors_sandboxes as reads
from environments.models import Environment, Sandbox, SandboxRequest
from environments.states import SandboxAction, SandboxStart

KIND = "sandbox.request"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for; ``sandbox`` None for a new one."""

    action: SandboxAction
    start: SandboxStart
    name: str
    licence_type: str
    sandbox: Sandbox | None = None
    source: Sandbox | None = None
    not_before: datetime | None = None
    template_id: str = ""
    apex_class_id: str = ""
    auto_activate: bool = True
    reason: str = ""

    def about(self, sandbox: Sandbox | None) -> Wish:
        """The same wish about a listed sandbox."""
        return replace(self, sandbox=sandbox)


def wish_of(request: SandboxRequest) -> Wish:
    """What a stored request asks for."""
    return Wish(
        action=SandboxAction(request.action),
        start=SandboxStart(request.start),
        name=request.name,
        licence_type=request.licence_type,
        sandbox=request.sandbox,
        source=request.source,
        not_before=request.not_before,
        template_id=request.template_id,
        apex_class_id=request.apex_class_id,
        auto_activate=request.auto_activate,
        reason=request.reason,
    )


def facts_of(owner: Environment, wish: Wish, now: datetime) -> rules.Facts:
    """What the guard is asked, as the list of sandboxes says it."""
    sandbox, source = wish.sandbox, wish.source
    taken = Sandbox.objects.filter(production=owner, gone_at=None, name__iexact=wish.name)
    return rules.Facts(
        now=now,
        action=wish.action,
        name=wish.name,
        licence_type=wish.licence_type,
        start=wish.start,
        listed=sandbox is not None and sandbox.gone_at is None,
        copying=sandbox is not None and sandbox.phase in ("copying", "to_activate", "activating"),
        next_refresh=reads.next_refresh(sandbox) if sandbox is not None else None,
        name_taken=wish.action is SandboxAction.CREATE and taken.exists(),
        total=reads.total_of(owner, wish.licence_type),
        used=reads.used_of(owner, wish.licence_type),
        source_wanted=source is not None,
        source_listed=source is None or source.gone_at is None,
        source_fits=source is None or source.licence_type == wish.licence_type,
        template_id=wish.template_id,
    )


def digest_of(request: SandboxRequest) -> str:
    """Digest what is decided on: the request, and the sandbox as the guard knows it now.

    A sandbox that was copied, deleted or made anew since, a source that is another or gone: people
    decided on something else.
    """
    sandbox, source = request.sandbox, request.source
    return digest_json(
        {
            "kind": KIND,
            "request": str(request.uuid),
            "action": request.action,
            "name": request.name,
            "licence_type": request.licence_type,
            "environment": str(request.environment.uuid) if request.environment else None,
            "organization": request.environment.expected_organization_id
            if request.environment
            else None,
            "team": request.team_id,
            "sandbox": _guarded(sandbox),
            "source": _guarded(source),
            "template": request.template_id,
            "apex_class": request.apex_class_id,
            "auto_activate": request.auto_activate,
            "start": request.start,
            "not_before": request.not_before.isoformat() if request.not_before else None,
            "reason": request.reason,
        }
    )


def _guarded(sandbox: Sandbox | None) -> dict[str, Any] | None:
    if sandbox is None:
        return None
    return {
        "info": sandbox.info_id,
        "copy": sandbox.copy_id,
        "organization": sandbox.organization_id,
        "licence_type": sandbox.licence_type,
        "gone": sandbox.gone_at is not None,
    }


def as_stored(facts: rules.Facts) -> dict[str, Any]:
    """The guard's facts as they are kept with the request."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(facts).items()
    }
