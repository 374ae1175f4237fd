"""The history as files that verify without Gatehouse: the form that ``verify.py`` documents.

``directory`` makes a whole export; evidence packs use ``event_lines`` for the part they need.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from core import signing
from core.db import database_now
from core.digests import rfc3339
from governance.models import AuditLink, Checkpoint
from governance.services import checkpoints
from governance.verification import verify

PORTION = 5_000
MANIFEST_AS = "gatehouse-manifest"
SCRIPT = Path(verify.__file__)

_PORTION = """
    SELECT l.event_id, l.position, encode(l.previous, 'hex'), encode(l.hash, 'hex'), e.body
    FROM governance_auditlink l LEFT JOIN governance_auditevent e ON e.id = l.event_id
    WHERE l.position > %s AND l.position <= %s
    ORDER BY l.position
"""


def end() -> int:
    """Return the position of the newest event."""
    last = AuditLink.objects.order_by("-position").values_list("position", flat=True).first()
    return last or 0


def event_lines(first: int, last: int) -> Iterator[str]:
    """Yield ``events.jsonl`` from one position to another, both included, with flat memory."""
    start = first - 1
    while start < last:
        stop = min(start + PORTION, last)
        with connection.cursor() as cursor:
            cursor.execute(_PORTION, [start, stop])
            rows = cursor.fetchall()
        for number, position, previous, own, body in rows:
            line = {"id": number, "position": position, "previous": previous, "hash": own}
            yield json.dumps(line | {"body": body}, ensure_ascii=False) + "\n"
        start = stop


def checkpoint_lines(last: int) -> Iterator[str]:
    """Yield ``checkpoints.jsonl``: those that are not younger than a position, oldest first."""
    for row in Checkpoint.objects.filter(position__lte=last).order_by("number").iterator():
        yield checkpoints.record_of(row).line()


def directory(target: Path) -> int:
    """Write the whole history with everything that verifies it; return the number of events.

    The manifest is signed where the process holds the key. The directory must be empty.
    """
    target.mkdir(parents=True, exist_ok=False)
    last = end()
    _write(target / "events.jsonl", event_lines(1, last))
    _write(target / "checkpoints.jsonl", checkpoint_lines(last))
    _write(target / "public_keys.json", [json.dumps(signing.public_keys(), indent=1) + "\n"])
    _write(target / SCRIPT.name, [SCRIPT.read_text(encoding="utf-8")])
    write_manifest(target)
    return last


def write_manifest(target: Path) -> None:
    """Write ``manifest.json`` over every file of a directory, and its signature if possible."""
    paths = sorted(path for path in target.rglob("*") if path.is_file())
    files = [
        {
            "path": path.relative_to(target).as_posix(),
            "size": path.stat().st_size,
            "sha256": verify.file_digest(path),
        }
        for path in paths
    ]
    content = {"format": 1, "made_at": rfc3339(database_now()), "files": files}
    raw = json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")
    (target / "manifest.json").write_bytes(raw)
    if signing.can_sign():
        (target / "manifest.json.sig").write_text(signature_of(raw), encoding="utf-8")


def signature_of(manifest: bytes) -> str:
    """Return ``manifest.json.sig``. Codes: ``signing.no_key``."""
    signed = signing.sign(MANIFEST_AS, manifest)
    value = base64.b64encode(signed.value).decode("ascii")
    return json.dumps({"key": signed.key_id, "signature": value}) + "\n"


def _write(path: Path, lines: Iterator[str] | list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
