"""What one commit changes since its team's baseline, for a radar over many repositories.

Both commits are read into normal form, so that teams with other directories, formats or presets
are compared by what they would deploy; commits are matched to components by the paths they touch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.errors import InvalidInput
from metadata import inside, objects, references
from metadata.blocks import differing
from metadata.commits import CommitInfo
from metadata.components import ComponentKey, respelled
from metadata.mirrors import Mirror
from metadata.normal import Files, NormalForm
from metadata.sides import single
from metadata.source import read_commit
from metadata.units import whole

COMMITS_READ = 500
"""Older commits since the baseline are not matched to components."""

COMMITS_KEPT = 4
NAME = "name"
"""What differs where a component has another spelling."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One component that differs from the baseline.

    One that only has another spelling now is known by the new one.
    ``digest`` is "" for one that is gone; ``elements`` say what changed inside one that both sides
    hold; ``names`` are the components that it names; the newest ``commits`` come first.
    """

    key: ComponentKey
    digest: str
    elements: tuple[str, ...]
    names: tuple[ComponentKey, ...]
    commits: tuple[CommitInfo, ...]


def touched(
    mirror: Mirror, tip: str, base: str | None, known: Collection[ComponentKey] = ()
) -> list[Touch]:
    """Every component that the tip holds otherwise than its baseline, by key.

    Without a baseline everything counts as touched. ``known`` are components of other repositories
    that this one may name. Raises what ``read_commit`` raises for the tip or the baseline.
    """
    if tip == base:
        return []
    form = read_commit(mirror, tip)
    before = read_commit(mirror, base) if base else NormalForm({})
    old, new = before.component_digests(), form.component_digests()
    was = respelled(old.keys() - new.keys(), new.keys() - old.keys())
    keys = [
        key for key in sorted({*old, *new}.difference(was.values())) if old.get(key) != new.get(key)
    ]
    named = references.of(form.only(keys), {*form, *known})
    commits = _commits(mirror, tip, base)
    return [
        Touch(
            key,
            new.get(key, ""),
            tuple([NAME] * (key in was)) + elements(before.get(was.get(key, key)), form.get(key)),
            tuple(sorted(named.get(key, ()))),
            tuple((commits.get(key) or commits.get(whole(key)) or [])[:COMMITS_KEPT]),
        )
        for key in keys
    ]


def elements(old: Files | None, new: Files | None) -> tuple[str, ...]:
    """Names of the elements that differ in the XML files that both sides hold."""
    found: set[str] = set()
    present = {path.casefold(): content for path, content in (new or {}).items()}
    for path, before in (old or {}).items():
        after = present.get(path.casefold(), before)
        if before == after or not (before[:5] == after[:5] == b"<?xml"):
            continue
        try:
            found |= inside.changed(*differing(before, after))
        except InvalidInput:
            continue
    return tuple(sorted(found))


def _commits(mirror: Mirror, tip: str, base: str | None) -> Mapping[ComponentKey, list[CommitInfo]]:
    """The commits since the baseline by the components that they touch, the newest first."""
    infos = mirror.commits(tip, not_in=[base] if base else [], limit=COMMITS_READ)
    paths = objects.paths_of_commits(mirror.run, [info.sha for info in infos])
    side = single(mirror, tip)
    found: dict[ComponentKey, list[CommitInfo]] = {}
    for info in infos:
        own: set[ComponentKey] = set()
        for path in side.selection.kept(paths.get(info.sha, [])):
            try:
                unit = side.units.of(path)
            except InvalidInput:
                continue
            if unit is not None:
                own.add(unit)
        for unit in own:
            found.setdefault(unit, []).append(info)
    return found
