"""The two steps that only read the org: snapshot before, verify after.

Reading has no effect, so after a crash it is simply asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from core import db
from core.digests import digest_json
from core.errors import ExternalFault
from environments.services import snapshots
from jobs.registry import Next
from metadata.normal import NormalForm
from metadata.package import read_zip
from releases.engine import composition, finish
from releases.engine.context import StepContext, poll_after
from releases.models import ArtefactComponent, Deployment
from releases.services import steps
from releases.states import Purpose, ReleaseState, StepKind, StepState

SHOWN = 5
LOOK_COUNTS_FOR = timedelta(seconds=90)
"""How long the engine takes the target to be as it was last seen, before it writes."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the target holds of an artefact's components at one moment."""

    holds: str
    components: dict[str, str]

    def digest(self) -> str:
        """``sha256:…`` over the last artefact and the content of every touched component."""
        return digest_json({"holds": self.holds, "components": self.components})

    def changed_since(self, earlier: dict[str, str]) -> list[str]:
        """Components whose content is another one now than in ``earlier``."""
        keys = sorted(set(self.components) | set(earlier))
        return [key for key in keys if self.components.get(key) != earlier.get(key)]


def begin(ctx: StepContext) -> Next:
    """Ask the org for the artefact's components, and what they are compared with."""
    manifest = ctx.deployment.artefact.touched
    if ctx.step.kind == StepKind.SNAPSHOT:
        manifest = composition.asked(ctx.deployment)
    if ctx.step.state == StepState.PENDING:
        steps.intend(ctx.claim, ctx.step)
    try:
        remote_id = ctx.org.start_retrieve(manifest, ctx.deployment.artefact.api_version)
    except ExternalFault as fault:
        if fault.retryable:
            raise
        return finish.fail(ctx.claim, ctx.step, problem=fault.message)
    steps.started(ctx.claim, ctx.step, remote_id)
    return Next.now()


def poll(ctx: StepContext) -> Next:
    """Take the retrieved zip when it is ready, and do what this step is for."""
    answer = ctx.org.retrieve_status(ctx.step.remote_id)
    if not answer.done:
        steps.progress(ctx.claim, ctx.step, polled_at=db.database_now())
        age = (db.database_now() - (ctx.step.started_at or db.database_now())).total_seconds()
        return Next.after(0.3) if age < 3 else poll_after(ctx.step, db.database_now())
    if not answer.success or answer.zip_bytes is None:
        problem = answer.error_message or "The org could not give its metadata."
        return finish.fail(ctx.claim, ctx.step, problem=problem)
    form = read_zip(answer.zip_bytes)
    if ctx.step.kind == StepKind.VERIFY:
        return _verify(ctx, form)
    return _snapshot(ctx, form, answer.zip_bytes)


def baseline_of(deployment: Deployment, form: NormalForm) -> Baseline:
    """The baseline of a deployment's artefact in what was retrieved; absent is an empty digest."""
    keys = ArtefactComponent.objects.filter(artefact_id=deployment.artefact_id)
    names = [f"{type_name}:{name}" for type_name, name in keys.values_list("type", "name")]
    names += map(str, deployment.artefact.removed_keys)
    return Baseline(
        holds=deployment.environment.holds_digest,
        components=composition.digests(form, names),
    )


def _snapshot(ctx: StepContext, form: NormalForm, zip_bytes: bytes) -> Next:
    now = baseline_of(ctx.deployment, form)
    bound = ctx.deployment.purpose == Purpose.RELEASE
    if bound and now.digest() != ctx.deployment.baseline_digest:
        return finish.stop_at_gate(
            ctx.claim,
            ctx.step,
            reason=_moved(ctx.deployment, now),
            back_to=ReleaseState.DRAFT,
        )
    reason = composition.problem(ctx.deployment, now.components)
    if reason:
        return finish.compose_again(ctx.claim, ctx.step, reason=reason)
    with transaction.atomic():
        ctx.claim.guard()
        kept = snapshots.keep(
            environment=ctx.deployment.environment,
            manifest=composition.asked(ctx.deployment),
            zip_bytes=zip_bytes,
            form=form,
            purpose=f"before {ctx.deployment.public_id}",
        )
        if not bound:
            ctx.deployment.baseline = now.components
            ctx.deployment.baseline_digest = now.digest()
            ctx.deployment.save(update_fields=["baseline", "baseline_digest"])
        held = sum(1 for digest in now.components.values() if digest)
        total = len(now.components)
        note = f"{held} of {total} components are there already; kept as {kept.public_id}"
        release = ctx.deployment.release
        facts = {
            "snapshot": kept.public_id,
            "composed_against": release.base_snapshot_id if release else None,
        }
        steps.succeeded(ctx.claim, ctx.step, note=note, facts=facts)
    return Next.now()


def is_seen(ctx: StepContext) -> bool:
    """Whether the target was seen just now, so that the write meets what people decided on."""
    if ctx.deployment.purpose != Purpose.RELEASE or ctx.step.kind != StepKind.DEPLOY:
        return True
    seen = ctx.deployment.steps.get(kind=StepKind.SNAPSHOT).finished_at
    if "seen_at" in ctx.step.facts:
        seen = datetime.fromisoformat(ctx.step.facts["seen_at"])
    return seen is not None and db.database_now() - seen <= LOOK_COUNTS_FOR


def look_again(ctx: StepContext) -> Next | None:
    """Retrieve once more what the write would change; ``None`` when it is as people decided.

    The snapshot is older than it may be when the org validated meanwhile or the worker was away.
    A look whose polls broke off has aged as well, and is taken anew.
    """
    asked, now = ctx.step.facts.get("look", ""), db.database_now()
    if not asked or not ctx.step.polled_at or now - ctx.step.polled_at > LOOK_COUNTS_FOR:
        touched, version = composition.asked(ctx.deployment), ctx.deployment.artefact.api_version
        facts = {**ctx.step.facts, "look": ctx.org.start_retrieve(touched, version)}
        steps.progress(ctx.claim, ctx.step, polled_at=now, facts=facts)
        return Next.now()
    answer = ctx.org.retrieve_status(asked)
    if not answer.done:
        steps.progress(ctx.claim, ctx.step, polled_at=now)
        return Next.after(1)
    if not answer.success or answer.zip_bytes is None:
        problem = answer.error_message or "The org could not give its metadata."
        return finish.fail(ctx.claim, ctx.step, problem=problem)
    found = baseline_of(ctx.deployment, read_zip(answer.zip_bytes))
    if found.digest() != ctx.deployment.baseline_digest:
        reason = _moved(ctx.deployment, found)
        return finish.stop_at_gate(ctx.claim, ctx.step, reason=reason, back_to=ReleaseState.DRAFT)
    facts = {**ctx.step.facts, "look": "", "seen_at": now.isoformat()}
    steps.progress(ctx.claim, ctx.step, polled_at=now, facts=facts)
    return None


def _moved(deployment: Deployment, now: Baseline) -> str:
    """The sentence that says what changed in the target since people decided, and by what."""
    changed = now.changed_since(deployment.baseline)
    name = deployment.environment.name
    last = deployment.environment.holds_ref
    since = deployment.preparation
    by = "outside Gatehouse"
    if last and since and now.holds != _holds_at(since):
        by = f"by {last}"
    if not changed:
        return f"{name} holds another artefact now than when people decided ({last})."
    told = composition.named(changed)
    return f"{name} changed since approval: {told}, {by}. Compose the release again."


def _holds_at(preparation: Deployment) -> str:
    """What the environment held when it was prepared, as its last write before then says."""
    earlier = (
        Deployment.objects.filter(
            environment_id=preparation.environment_id,
            purpose=Purpose.RELEASE,
            state="succeeded",
            finished_at__lt=preparation.finished_at,
        )
        .select_related("artefact")
        .order_by("-finished_at")
        .first()
    )
    return earlier.artefact.digest if earlier else ""


def _verify(ctx: StepContext, form: NormalForm) -> Next:
    """Compare what the org holds now with what was sent.

    A component that is not there although the org said "Succeeded" fails the deployment. Other
    bytes do not: the org may write its own defaults into what it was given.
    """
    held = {str(key): digest for key, digest in form.component_digests().items()}
    rows = ArtefactComponent.objects.filter(artefact_id=ctx.deployment.artefact_id)
    sent = {
        f"{type_name}:{name}": digest
        for type_name, name, digest in rows.values_list("type", "name", "digest")
    }
    there = sorted(str(key) for key in ctx.deployment.artefact.removed_keys if str(key) in held)
    if there:
        problem = (
            f"The org says it succeeded and still holds {', '.join(there[:SHOWN])}, which this "
            "artefact deletes. Look in the org."
        )
        return finish.fail(ctx.claim, ctx.step, problem=problem, facts={"still_there": there[:200]})
    missing = sorted(key for key in sent if key not in held)
    if missing:
        shown = ", ".join(missing[:SHOWN])
        problem = f"The org says it succeeded and does not hold {shown}. Look in the org."
        return finish.fail(ctx.claim, ctx.step, problem=problem, facts={"missing": missing[:200]})
    other = sorted(key for key, digest in sent.items() if held[key] != digest)
    note = f"The org holds all {len(sent)} components"
    if ctx.deployment.artefact.removes:
        note += f", and none of the {len(ctx.deployment.artefact.removes)} deleted"
    if other:
        note += f"; {len(other)} came back in other words: {', '.join(other[:SHOWN])}"
    steps.succeeded(ctx.claim, ctx.step, note=note, facts={"other": other[:200]})
    return Next.now()
