"""Events of environments and the sentences the history tells; the actor's name comes first."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "environment.created": "registered {subject} as {stage} of {track}",
    "environment.edited": "changed {subject}: {changed}",
    "environment.address_changed": (
        "changed the address of {subject} to {login_host}, which discarded its credential"
    ),
    "environment.credential_set": "stored a new {flow} credential for {subject}",
    "environment.policy_set": "put {subject} under the policy {policy} (before: {before})",
    "environment.stage_policy_set": ("put {stage} under the policy {policy} (before: {before})"),
    "environment.check_requested": "asked to check the connection of {subject}",
    "environment.connection.passed": (
        "found {subject} to be {organization} ({organization_id}, {sort})"
    ),
    "environment.connection.failed": "could not connect {subject}: {problem}",
    "environment.retired": "retired {subject}",
    "environment.holds": "recorded that {subject} holds {label}",
    "environment.write.failed": "recorded that the last write on {subject} failed: {note}",
    "environment.write.unknown": (
        "recorded that the outcome of the last write on {subject} is unknown: {note}"
    ),
    "freeze.created": "froze {target} from {start} to {end}: {subject}",
    "freeze.stopped": "pressed the emergency stop: {reason}",
    "freeze.extended": "let the freeze {subject} last until {end} (before: {before})",
    "freeze.lift_asked": "asked the release board for {label}: {reason}",
    "freeze.lifted": "lifted {subject}: {reason}",
    "freeze.shortened": "let the freeze {subject} end at {end} (before: {before})",
    "calendar.added": "added the calendar {subject} from {place}",
    "calendar.asked": "asked to read the calendar {subject} again",
    "calendar.removed": "removed the calendar {subject}",
    "calendar.read.passed": (
        "read the calendar {subject}: {new} new, {changed} changed, {gone} gone of {total} entries"
    ),
    "calendar.read.failed": "could not read the calendar {subject}: {problem}",
    "sandbox.list_asked": "asked to read the sandboxes of {subject}",
    "sandbox.list.failed": "could not read the sandboxes of {subject}: {problem}",
    "sandbox.seen": "found the sandbox {name} ({type}) of {subject}",
    "sandbox.gone": "no longer found the sandbox {name} of {subject}",
    "sandbox.adopted": "took the sandbox {name} for {subject}",
    "sandbox.request.opened": "asked for {subject}: {reason}",
    "sandbox.request.approved": "let {subject} be carried out ({how})",
    "sandbox.request.rejected": "closed {subject}, which was rejected",
    "sandbox.request.withdrawn": "withdrew {subject}",
    "sandbox.request.lapsed": "closed {subject}: {reason}",
    "sandbox.request.held": "could not go on with {subject} yet: {reason}",
    "sandbox.request.started": "set out to start {subject}",
    "sandbox.request.taken": "started {subject}: the platform took it",
    "sandbox.request.adopted": "found that the platform had taken {subject}",
    "sandbox.request.unknown": "does not know whether the platform took {subject}: {reason}",
    "sandbox.request.lost": "no longer sees the copy of {subject}, so its outcome is unknown",
    "sandbox.request.to_activate": "saw that the copy of {subject} waits for its activation",
    "sandbox.request.settle_asked": "asked to {wish} the copy of {subject}",
    "sandbox.request.settling": "told the platform to {wish} the copy of {subject}",
    "sandbox.request.copied": (
        "saw the end of {subject}: it is organisation {organization_id} now; {next}"
    ),
    "sandbox.request.deleted": "saw the end of {subject}: its licence is free",
    "sandbox.request.reconnected": "saw {subject} connected anew, ready for use",
    "sandbox.request.failed": "ended {subject} without result: {reason}",
    "sandbox.licences_entered": "entered {total} licences for {type} sandboxes of {subject}",
    "snapshot.requested": "asked for {subject} of {environment}: {purpose}",
    "snapshot.taken": "took {subject} of {environment}: {components} components",
    "snapshot.failed": "could not take {subject} of {environment}: {problem}",
    "snapshot.kept": "kept {subject} of {environment} as commit {commit}",
}
